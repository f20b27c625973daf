"""Stage "clip_attr", step I: prompts and text tower are trained on boxes with base labels.

Method section 3. R1 boxes of the detection data, R2 of the attribute data, R = R1 + R2; C base
categories, A base attributes, D embedding width.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from ovarnet.config import ClipAttrTraining, LrMultipliers
from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.training.clip_attr.checkpoints import init_clip_attr, save_clip_attr
from ovarnet.training.clip_attr.step_one_criterion import FederatedCriterion
from ovarnet.training.clip_attr.tower_regularisation import RegularisedTower
from ovarnet.training.clip_attr.trainable import TrainableClipAttr
from ovarnet.training.data.base_data import BaseData
from ovarnet.training.data.base_dataset import BaseBoxBatch, BaseBoxDataset
from ovarnet.training.data.base_novel_check import check_initial_models, clip_checkpoints
from ovarnet.training.data.crops import BoxCropper
from ovarnet.training.data.embedding_cache import EmbeddingCache
from ovarnet.training.data.held_out import best_by_loss, check_held_out, check_same_words
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.training.engine.best_weights import BestWeights
from ovarnet.training.engine.loop import run_stage
from ovarnet.training.engine.sampling import MixedSampler
from ovarnet.vocabulary import Vocabulary

PRIOR_PROBABILITY = 0.1
"""Mean probability of the base words that a learned bias is initialised for."""
BIAS_BOXES = 256
"""Boxes that the initial bias is computed on."""


class FederatedModel(TrainableClipAttr):
    """CLIP-Attr in step I, called with one batch of `BaseBoxDataset`.

    Args:
        clip: See `TrainableClipAttr`.
        classifier: See `TrainableClipAttr`.
        base: The base words; novel ones are never encoded.
        criterion: The losses.
        lr_multipliers: See `TrainableClipAttr`.
        tower_regularisation: Weight of the penalty on a trained image tower.
    """

    def __init__(
        self,
        clip: Clip,
        classifier: TextClassifier,
        base: Vocabulary,
        criterion: FederatedCriterion,
        lr_multipliers: LrMultipliers,
        tower_regularisation: float,
    ):
        super().__init__(clip, classifier, lr_multipliers)
        self.base, self.criterion = base, criterion
        self.tower = RegularisedTower(
            clip, is_trained=lr_multipliers.image_tower > 0, weight=tower_regularisation
        )

    def forward(self, batch: BaseBoxBatch) -> dict[str, Tensor]:
        """Return the named losses of a batch."""
        embeddings, losses = self._embed(batch)
        detection, attribute = embeddings.split([len(batch.categories), len(batch.attributes)])

        # words of a source without boxes are not encoded, for their loss is left out
        categories = self.base.categories if len(detection) else ()
        attributes = self.base.attributes if len(attribute) else ()
        category_logits = self.classifier(detection, self.classifier.embed(categories, "category"))
        attribute_logits = self.classifier(
            attribute, self.classifier.embed(attributes, "attribute")
        )
        return self.criterion(category_logits, attribute_logits, batch) | losses

    def _embed(self, batch: BaseBoxBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Embeddings (R, D) of all boxes, cached or not, and the losses of the image tower."""
        if batch.embeddings is not None:
            return batch.embeddings, {}
        assert batch.crops is not None, "a batch has crops or cached embeddings"
        return self.tower(batch.crops)


def train_clip_attr(
    config: ClipAttrTraining,
    accelerator: Accelerator,
    *,
    resume: bool = False,
    data: BaseData | None = None,
    images: ImageCache | None = None,
    cache_folder: Path | None = None,
) -> Path:
    """Train step I and write the checkpoint folder.

    Args:
        config: Settings of the stage.
        accelerator: Of the process.
        resume: Continue from the last saved state in `config.output`.
        data: Boxes that are already read, shared by several runs.
        images: Decoded images, shared likewise.
        cache_folder: Where cached embeddings are kept; None: in `config.output`.

    Returns:
        The checkpoint folder.

    Raises:
        InputError: Settings contradict each other, data are missing, or a novel word of the data
            was a base word of the proposer, of the CLIP or of the initial model.
    """
    if config.cached_views and config.lr_multipliers.image_tower:
        raise InputError(
            "cached_views needs a frozen image tower; set lr_multipliers.image_tower to 0, or "
            "cached_views to 0"
        )
    output, initial = Path(config.output), init_clip_attr(config)
    initial.clip.to(accelerator.device)
    initial.classifier.to(accelerator.device)
    data = data or BaseData.open(config.detection, config.attributes, limit=config.limit)
    earlier = [*initial.checkpoints, *clip_checkpoints(config.clip)]
    check_initial_models(data.vocabulary, earlier, (config.detection, config.attributes))

    crops = BoxCropper(initial.clip, images or ImageCache(config.image_cache_mb))
    dataset = open_batches(config, initial.clip, data, crops, cache_folder or output)
    if config.lr_multipliers.bias and not initial.has_learned_prompts:
        init_bias(initial.classifier, dataset, config)
    model = FederatedModel(
        initial.clip,
        initial.classifier,
        data.base,
        FederatedCriterion(data, config.loss),
        config.lr_multipliers,
        config.tower_regularisation,
    )

    shares = data.shares(config.optimisation.batch_size, config.detection_share)
    trained = run_stage(
        model,
        dataset,
        config,
        accelerator,
        resume=resume,
        groups=model.groups(config.optimisation),
        make_sampler=partial(MixedSampler, shares),
        after_step=TrainableClipAttr.bound_temperature,
        best=held_out_choice(config, data, crops, accelerator.is_main_process),
    )
    accelerator.on_main_process(save_clip_attr)(
        output / "checkpoint", trained, data.vocabulary, initial.proposer, asdict(config)
    )
    return output / "checkpoint"


def held_out_choice(
    config: ClipAttrTraining, data: BaseData, crops: BoxCropper, is_main: bool
) -> BestWeights | None:
    """What chooses among the weights by the loss on the validation split; None without one.

    Raises:
        InputError: The split is trained on, has no box of a base word, or has other base words than
            the training data.
    """
    settings = config.validation
    if settings.split is None:
        return None
    check_held_out(settings.split, config.detection, config.attributes)
    held_out = BaseData.open(
        config.detection, config.attributes, limit=config.limit, split=settings.split
    )
    check_same_words(settings.split, held_out.base, data.base)
    dataset = BaseBoxDataset(
        held_out, crops, seed=config.seed, sampled_categories=config.loss.sampled_categories
    )
    shares = held_out.shares(config.optimisation.batch_size, config.detection_share)
    keys = MixedSampler(shares, settings.batches, seed=config.seed)
    return best_by_loss(dataset, keys, settings, Path(config.output), is_main=is_main)


def open_batches(
    config: ClipAttrTraining, clip: Clip, data: BaseData, crops: BoxCropper, cache_folder: Path
) -> BaseBoxDataset:
    """Batches of crops, or of embeddings where `config.cached_views` crops of a box are cached."""
    embedder = None
    if config.cached_views:
        embedder = EmbeddingCache(
            clip, data, crops, cache_folder, views=config.cached_views, seed=config.seed
        )
    return BaseBoxDataset(
        data,
        crops,
        seed=config.seed,
        sampled_categories=config.loss.sampled_categories,
        embedder=embedder,
    )


@torch.no_grad()
def init_bias(
    classifier: TextClassifier, dataset: BaseBoxDataset, config: ClipAttrTraining
) -> None:
    """Set the classifier's bias by the boxes of one batch, for `PRIOR_PROBABILITY`."""
    shares = dataset.data.shares(BIAS_BOXES, config.detection_share)
    keys = next(iter(MixedSampler(shares, 1, seed=config.seed)))
    batch = dataset.__getitems__(keys).to(classifier.clip.device)
    embeddings = batch.embeddings
    if batch.crops is not None:
        embeddings = classifier.clip.encode_image(batch.crops)
    assert embeddings is not None, "a batch has crops or cached embeddings"
    assert classifier.bias is not None, "the classifier of step I has a bias"
    bias = initial_bias(classifier.eval(), embeddings, dataset.data.base, PRIOR_PROBABILITY)
    classifier.bias.fill_(bias)


@torch.no_grad()
def initial_bias(
    classifier: TextClassifier, embeddings: Tensor, base: Vocabulary, probability: float
) -> float:
    """The bias with which the mean logit is that of a probability (method section 2.5).

    Args:
        classifier: In evaluation mode.
        embeddings: (R, D) of boxes.
        base: Words; the mean is over all of them and all boxes.
        probability: Between 0 and 1, both excluded.
    """
    words = [
        classifier.embed(base.categories, "category"),
        classifier.embed(base.attributes, "attribute"),
    ]
    mean = torch.cat([classifier.cosines(embeddings, kind).flatten() for kind in words]).mean()
    scale = classifier.clip.logit_scale.exp()
    return math.log(probability / (1 - probability)) - (scale * mean).item()

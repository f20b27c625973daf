"""Stage "clip_attr", step I: prompts and text encoder learn base categories and base attributes
from boxes (method section 3).

R1 boxes of the detection data, R2 of the attribute data, R = R1 + R2; C base categories, A base
attributes, D the embedding width.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from ovarnet.build import find_checkpoint
from ovarnet.checkpoint import Checkpoint, load_checkpoint
from ovarnet.config import ClipAttrTraining, LrMultipliers
from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.training.clip_attr.checkpoints import save_clip_attr, start_clip_attr
from ovarnet.training.clip_attr.step_one_criterion import FederatedCriterion
from ovarnet.training.clip_attr.tower_regularisation import RegularisedTower
from ovarnet.training.clip_attr.trainable import TrainableClipAttr
from ovarnet.training.data.base_boxes import BaseBoxDataset, BaseData
from ovarnet.training.data.base_novel_check import check_base_novel, warn_base_novel
from ovarnet.training.data.crops import CropRule, ImageCache
from ovarnet.training.data.embedding_cache import EmbeddingCache
from ovarnet.training.engine.loop import run_stage
from ovarnet.training.engine.sampling import MixedSampler
from ovarnet.vocabulary import Vocabulary

PRIOR_PROBABILITY = 0.1
"""Mean probability of the base words that a learned bias is initialised for."""


class FederatedModel(TrainableClipAttr):
    """CLIP-Attr in step I, called with one batch of `BaseBoxDataset`."""

    def __init__(
        self,
        clip: Clip,
        classifier: TextClassifier,
        base: Vocabulary,
        criterion: FederatedCriterion,
        parts: LrMultipliers,
        tower_regularisation: float,
    ):
        super().__init__(clip, classifier, parts)
        self.base, self.criterion = base, criterion
        self.tower = RegularisedTower(clip, parts, tower_regularisation)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        embeddings, losses = (
            (batch["embeddings"], {}) if "embeddings" in batch else self.tower(batch["crops"])
        )
        boxed, described = embeddings.split([len(batch["categories"]), len(batch["attributes"])])
        categories = self.classifier.embed(self.base.categories if len(boxed) else (), "category")
        attributes = self.classifier.embed(
            self.base.attributes if len(described) else (), "attribute"
        )
        return (
            self.criterion(
                self.classifier(boxed, categories), self.classifier(described, attributes), batch
            )
            | losses
        )


def start_bias(
    classifier: TextClassifier, embeddings: Tensor, base: Vocabulary, probability: float
) -> float:
    """The bias with which the mean logit over all base words and the boxes of `embeddings` (R, D)
    is that of `probability`.
    """
    with torch.no_grad():
        words = [
            classifier.embed(base.categories, "category"),
            classifier.embed(base.attributes, "attribute"),
        ]
        mean = torch.cat([classifier.cosines(embeddings, kind).flatten() for kind in words]).mean()
    return (
        math.log(probability / (1 - probability))
        - (classifier.clip.logit_scale.exp() * mean).item()
    )


def train_clip_attr(
    config: ClipAttrTraining,
    accelerator: Accelerator,
    *,
    resume: bool = False,
    data: BaseData | None = None,
    images: ImageCache | None = None,
    cache_folder: Path | None = None,
) -> Path:
    """Train and write the checkpoint folder; returns it. data, images, cache_folder: already open
    ones, shared by several runs.
    """
    if config.cached_views and config.lr_multipliers.image_tower:
        raise InputError(
            "cached_views needs a frozen image tower; set trained.image_tower to 0, or "
            "cached_views to 0"
        )
    output = Path(config.output)
    clip, classifier, proposer, is_learned = start_clip_attr(config)
    clip.to(accelerator.device)
    classifier.to(accelerator.device)
    data = data or BaseData.open(config.detection, config.attributes, limit=config.limit)
    is_own_data = "custom" in (config.detection.dataset, config.attributes.dataset)
    for before in _before(config, proposer):
        (warn_base_novel if is_own_data else check_base_novel)(data.vocabulary, before)
    crops = CropRule(clip, images or ImageCache(config.image_cache_mb))
    embedder = (
        EmbeddingCache(
            clip, data, crops, cache_folder or output, views=config.cached_views, seed=config.seed
        )
        if config.cached_views
        else None
    )
    dataset = BaseBoxDataset(
        data,
        crops,
        seed=config.seed,
        sampled_categories=config.loss.sampled_categories,
        embedder=embedder,
    )
    if config.lr_multipliers.bias and not is_learned:
        _fill_bias(classifier, dataset, data.base, config)
    model = FederatedModel(
        clip,
        classifier,
        data.base,
        FederatedCriterion(data, config.loss),
        config.lr_multipliers,
        config.tower_regularisation,
    )
    shares = data.shares(config.optimisation.batch_size, config.detection_share)
    best = run_stage(
        model,
        dataset,
        config.optimisation,
        accelerator,
        output=output,
        seed=config.seed,
        resume=resume,
        groups=model.groups(config.optimisation),
        make_sampler=partial(MixedSampler, shares),
        after_step=TrainableClipAttr.bound_temperature,
    )
    accelerator.on_main_process(save_clip_attr)(
        output / "checkpoint", best.clip, best.classifier, data.vocabulary, proposer, asdict(config)
    )
    return output / "checkpoint"


def _before(config: ClipAttrTraining, proposer: Checkpoint) -> list[Checkpoint]:
    """What step I goes on from: the proposer's folder, and that of `start` where it is another
    one.
    """
    if (
        config.init_from is None
        or config.proposer is None
        or config.init_from.startswith("clip-attr:")
    ):
        return [proposer]
    return [proposer, load_checkpoint(find_checkpoint(config.init_from))]


def _fill_bias(
    classifier: TextClassifier, dataset: BaseBoxDataset, base: Vocabulary, config: ClipAttrTraining
) -> None:
    shares = dataset.data.shares(256, config.detection_share)
    batch = dataset.__getitems__(next(iter(MixedSampler(shares, 1, seed=config.seed))))
    with torch.no_grad():
        device = classifier.clip.device
        embeddings = (
            batch["embeddings"].to(device)
            if "embeddings" in batch
            else classifier.clip.encode_image(batch["crops"].to(device))
        )
        classifier.bias.fill_(start_bias(classifier.eval(), embeddings, base, PRIOR_PROBABILITY))

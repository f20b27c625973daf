"""Stage "clip_attr_captions", step II: CLIP-Attr is trained on image-caption pairs.

The losses are multi-instance NCE and others (method section 4). N images, R proposals beside the
largest of each, C and A words, D embedding width. Logits are z, as in `TextClassifier`.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator
from open_clip.loss import ClipLoss
from torch import Tensor
from torch.nn import functional as F

from ovarnet.config import CaptionTraining
from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.phrase_prompts import PhrasePrompts
from ovarnet.training.clip_attr.checkpoints import open_clip_attr, save_clip_attr
from ovarnet.training.clip_attr.pseudo_labels import model_hash
from ovarnet.training.clip_attr.step_one_criterion import FederatedCriterion
from ovarnet.training.clip_attr.step_two_criterion import (
    TEXT_TERMS,
    CaptionCriterion,
    TextEmbeddings,
    text_terms,
)
from ovarnet.training.clip_attr.step_two_data import (
    CAPTIONS,
    CaptionBatch,
    CaptionData,
    CaptionDataset,
)
from ovarnet.training.clip_attr.tower_regularisation import RegularisedTower
from ovarnet.training.clip_attr.trainable import TrainableClipAttr, check_room
from ovarnet.training.data.base_data import BaseData
from ovarnet.training.data.base_dataset import BaseBoxBatch, BaseBoxDataset
from ovarnet.training.data.base_novel_check import check_base_novel
from ovarnet.training.data.crops import BoxCropper
from ovarnet.training.data.held_out import (
    best_on_batches,
    check_held_out,
    check_held_out_captions,
    check_same_words,
    whole_batches,
)
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.training.engine.best_weights import BestWeights
from ovarnet.training.engine.loop import run_stage
from ovarnet.training.engine.sampling import MixedSampler
from ovarnet.vocabulary import Vocabulary

logger = logging.getLogger(__name__)


class CaptionModel(TrainableClipAttr):
    """CLIP-Attr in step II, called with one `CaptionBatch`.

    Args:
        clip: See `TrainableClipAttr`.
        classifier: See `TrainableClipAttr`.
        words: C and A words of step II.
        base: Words of the base losses, all among `words`.
        criterion: Losses of captions.
        base_criterion: Losses of step I.
        config: Settings of the stage.
    """

    def __init__(
        self,
        clip: Clip,
        classifier: TextClassifier,
        words: Vocabulary,
        base: Vocabulary,
        criterion: CaptionCriterion,
        base_criterion: FederatedCriterion,
        config: CaptionTraining,
    ):
        weights = config.loss_weights
        has_phrases = weights.image_phrase or weights.image_phrases
        if has_phrases:
            check_room(clip, config.phrase_vectors, "phrase_vectors")
        super().__init__(
            clip,
            classifier,
            config.lr_multipliers,
            PhrasePrompts(clip.text_width, config.phrase_vectors) if has_phrases else None,
        )
        self.words, self.criterion, self.base_criterion = words, criterion, base_criterion
        self.base_loss_weight = config.base_loss_weight
        self.base_columns = (
            [words.category_index[word.name] for word in base.categories],
            [words.attribute_index[word.name] for word in base.attributes],
        )
        self.tower = RegularisedTower(
            clip,
            is_trained=config.lr_multipliers.image_tower > 0,
            weight=config.tower_regularisation,
        )

    def forward(self, batch: CaptionBatch) -> dict[str, Tensor]:
        """Return the named losses of a batch; in evaluation mode, those that may choose weights."""
        criterion = self.criterion if self.training else self.criterion.of_texts()
        words = self.classifier.encode_vocabulary(self.words)
        images, regions, boxes, losses = self._embed(batch)
        texts = TextEmbeddings.encode(self.clip, self.phrase_prompts, batch, criterion.weights)
        losses |= criterion(
            images,
            texts,
            self.classifier.logits(images, words),
            self.classifier.logits(regions, words),
            self.bias,
            batch,
        )
        if batch.base is None:
            return losses
        detection, attribute = boxes.split([len(batch.base.categories), len(batch.base.attributes)])
        category_logits = self.classifier(detection, words.categories)
        attribute_logits = self.classifier(attribute, words.attributes)
        return losses | self.base_losses(category_logits, attribute_logits, batch.base)

    def _embed(self, batch: CaptionBatch) -> tuple[Tensor, Tensor, Tensor, dict[str, Tensor]]:
        """Embed all crops in one pass of the tower.

        Returns:
            Unit embeddings (N, D) of the largest proposals, (R, D) of the others and of the boxes
            of step I; and the losses of the tower.
        """
        crops = [batch.crops]
        if batch.base is not None and batch.base.crops is not None:
            crops.append(batch.base.crops)
        embeddings, losses = self.tower(torch.cat(crops))
        embeddings = F.normalize(embeddings.float(), dim=-1)
        regions = len(batch.region_categories)
        largest, boxes = len(batch.crops) - regions, len(embeddings) - len(batch.crops)
        return *embeddings.split([largest, regions, boxes]), losses

    def base_losses(
        self, category_logits: Tensor, attribute_logits: Tensor, base: BaseBoxBatch
    ) -> dict[str, Tensor]:
        """Losses of step I, in the base columns alone, named base_...

        Args:
            category_logits: (R1, C) of the detection boxes.
            attribute_logits: (R2, A) of the attribute boxes.
            base: Their labels.
        """
        categories, attributes = self.base_columns
        losses = self.base_criterion(
            category_logits[:, categories], attribute_logits[:, attributes], base
        )
        return {f"base_{name}": self.base_loss_weight * loss for name, loss in losses.items()}


def train_with_captions(
    config: CaptionTraining,
    accelerator: Accelerator,
    *,
    resume: bool = False,
    data: BaseData | None = None,
    pairs: CaptionData | None = None,
    images: ImageCache | None = None,
) -> Path:
    """Train step II and write the checkpoint folder.

    Args:
        config: Settings of the stage.
        accelerator: Of the process.
        resume: Continue from the last saved state in `config.output`.
        data: Boxes of step I that are already read, shared by several runs.
        pairs: Image-caption pairs, shared likewise.
        images: Decoded images, shared likewise.

    Returns:
        The checkpoint folder.

    Raises:
        InputError: Data are missing, a base word of the data is unknown to step I, a novel one was
            a base word there, or the validation data cannot be used.
    """
    check_validation(config)
    output = Path(config.output)
    clip, classifier, initial = open_clip_attr(config.init_from)
    data = data or BaseData.open(config.detection, config.attributes, limit=config.limit)
    pairs = pairs or open_pairs(config, initial.vocabulary)
    check_base_novel(data.vocabulary, initial)
    _check_base_words(data.base, pairs.words, config.init_from)
    if pairs.scored_by not in (None, model_hash(clip, classifier)):
        logger.warning(
            "%s was written with another model than %s", config.pseudo_labels, config.init_from
        )

    torch.manual_seed(config.seed)
    images = images or ImageCache(config.image_cache_mb)
    crops = BoxCropper(clip, images)
    dataset = open_batches(config, data, pairs, crops)
    model = CaptionModel(
        clip,
        classifier,
        pairs.words,
        data.base,
        make_criterion(config, pairs.words, accelerator),
        FederatedCriterion(data, config.loss),
        config,
    )

    shares = {CAPTIONS: (len(pairs.images), config.optimisation.batch_size)}
    shares |= data.shares(config.base_batch_size, config.detection_share)
    trained = run_stage(
        model,
        dataset,
        config,
        accelerator,
        resume=resume,
        groups=model.groups(config.optimisation),
        make_sampler=partial(MixedSampler, shares),
        after_step=TrainableClipAttr.bound_temperature,
        best=held_out_choice(
            config,
            data,
            pairs,
            initial.vocabulary,
            BoxCropper(clip, images, augment=False),
            accelerator,
        ),
    )
    accelerator.on_main_process(save_clip_attr)(
        output / "checkpoint", trained, initial.vocabulary, initial, asdict(config)
    )
    return output / "checkpoint"


def open_pairs(config: CaptionTraining, vocabulary: Vocabulary) -> CaptionData:
    """Read the image-caption pairs of a run; `vocabulary` is that of step I."""
    return CaptionData.open(
        config.captions,
        config.images,
        config.pseudo_labels,
        vocabulary,
        require_known_words=config.require_known_words,
        limit=config.limit,
    )


def held_out_choice(
    config: CaptionTraining,
    data: BaseData,
    pairs: CaptionData,
    vocabulary: Vocabulary,
    crops: BoxCropper,
    accelerator: Accelerator,
) -> BestWeights | None:
    """What chooses among the weights by the loss on validation captions; None without them.

    What is measured are the losses of `CaptionModel` in evaluation mode, which has no labels of
    novel words; so the batches hold no proposals beside the largest. As in training, each process
    measures its part of every batch.

    Args:
        config: Settings of the stage.
        data: Boxes of the training data.
        pairs: Image-caption pairs of the training data.
        vocabulary: That of step I.
        crops: Cuts largest proposals and boxes, without augmentation.
        accelerator: Of the process.

    Raises:
        InputError: The captions have no image, one that is trained on, or less than a batch; the
            split cannot be used.
    """
    settings = config.validation
    if settings.captions is None:
        return None
    held_out = open_pairs(replace(config, captions=settings.captions, limit=None), vocabulary)
    check_held_out_captions(settings.captions, held_out.images, pairs.images)
    size = config.optimisation.batch_size
    batches = whole_batches(settings.captions, len(held_out.images), size, settings.batches)

    boxes, shares = data, {CAPTIONS: (len(held_out.images), size)}
    if settings.split is not None:
        check_held_out(settings.split, config.detection, config.attributes)
        boxes = BaseData.open(
            config.detection, config.attributes, limit=config.limit, split=settings.split
        )
        check_same_words(settings.split, boxes.base, data.base)
        shares |= boxes.shares(config.base_batch_size, config.detection_share)

    without_regions = replace(config.selection, max_proposals=0)
    keys = MixedSampler(
        shares,
        batches,
        seed=config.seed,
        rank=accelerator.process_index,
        world=accelerator.num_processes,
    )
    return best_on_batches(
        open_batches(replace(config, selection=without_regions), boxes, held_out, crops),
        keys,
        settings,
        Path(config.output),
        is_main=accelerator.is_main_process,
    )


def check_validation(config: CaptionTraining) -> None:
    """Refuse settings of the validation that would change nothing.

    Raises:
        InputError: A split without captions, or nothing of the captions or of the split is in the
            loss.
    """
    settings = config.validation
    if settings.captions is None and settings.split is not None:
        raise InputError(
            "validation.split adds the base losses to those of validation.captions; give "
            "validation.captions too"
        )
    if settings.captions is not None and not any(asdict(text_terms(config.loss_weights)).values()):
        raise InputError(
            f"validation.captions measures {', '.join(TEXT_TERMS)} of loss_weights, which are all "
            "0; give one a weight, or no validation.captions"
        )
    if settings.split is not None and not config.base_batch_size * config.base_loss_weight:
        raise InputError(
            "validation.split measures the base losses, and base_batch_size or base_loss_weight "
            "is 0; raise it, or give no validation.split"
        )


def open_batches(
    config: CaptionTraining, data: BaseData, pairs: CaptionData, crops: BoxCropper
) -> CaptionDataset:
    """Batches of pairs and base boxes; the largest proposals are cut where a term needs them."""
    base = BaseBoxDataset(
        data, crops, seed=config.seed, sampled_categories=config.loss.sampled_categories
    )
    with_largest = any(
        weight for name, weight in asdict(config.loss_weights).items() if name.startswith("image_")
    )
    return CaptionDataset(
        pairs, crops, config.selection, seed=config.seed, base=base, with_largest=with_largest
    )


def make_criterion(
    config: CaptionTraining, words: Vocabulary, accelerator: Accelerator
) -> CaptionCriterion:
    """The losses of captions; InfoNCE is over the texts of all processes, with their gradient."""
    contrastive_loss = ClipLoss(
        local_loss=True,
        gather_with_grad=True,
        rank=accelerator.process_index,
        world_size=accelerator.num_processes,
    )
    return CaptionCriterion(
        contrastive_loss, config.loss_weights, ~words.attribute_seen, config.unmentioned_weight
    )


def _check_base_words(base: Vocabulary, words: Vocabulary, initial: str) -> None:
    missing = [
        *(word.name for word in base.categories if word.name not in words.category_index),
        *(word.name for word in base.attributes if word.name not in words.attribute_index),
    ]
    if missing:
        raise InputError(
            f"{len(missing)} base word(s) of the data, such as '{missing[0]}', are unknown to "
            f"{initial} or its pseudo-labels; give step II the detection and attribute data of "
            "step I"
        )

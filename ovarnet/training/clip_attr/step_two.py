"""Stage "clip_attr_captions", step II: CLIP-Attr learns from image-caption pairs with
multi-instance NCE (method section 4).

N images, R proposals beside the largest of each, T texts, D the embedding width. Logits are z, as
in `TextClassifier`.
"""

from __future__ import annotations

from dataclasses import asdict
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
from ovarnet.training.clip_attr.step_one_criterion import FederatedCriterion
from ovarnet.training.clip_attr.step_two_criterion import CaptionCriterion, CaptionTexts
from ovarnet.training.clip_attr.step_two_data import (
    CAPTIONS,
    CaptionBatch,
    CaptionData,
    CaptionDataset,
)
from ovarnet.training.clip_attr.tower_regularisation import RegularisedTower
from ovarnet.training.clip_attr.trainable import TrainableClipAttr
from ovarnet.training.data.base_boxes import BaseBoxDataset, BaseData
from ovarnet.training.data.base_novel_check import check_base_novel
from ovarnet.training.data.crops import CropRule, ImageCache
from ovarnet.training.engine.loop import run_stage
from ovarnet.training.engine.sampling import MixedSampler
from ovarnet.vocabulary import Vocabulary


class CaptionModel(TrainableClipAttr):
    """CLIP-Attr in step II, called with one `CaptionBatch`. words: all of step II; base: those of
    the base losses, all among them.
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
        with_phrases = config.loss_weights.image_phrase or config.loss_weights.image_phrases
        super().__init__(
            clip,
            classifier,
            config.lr_multipliers,
            PhrasePrompts(clip.text_width, config.phrase_vectors) if with_phrases else None,
        )
        self.words, self.criterion, self.base_criterion, self.base_weight = (
            words,
            criterion,
            base_criterion,
            config.base_loss_weight,
        )
        self.base_columns = (
            [words.category_index[word.name] for word in base.categories],
            [words.attribute_index[word.name] for word in base.attributes],
        )
        self.tower = RegularisedTower(clip, config.lr_multipliers, config.tower_regularisation)

    def forward(self, batch: CaptionBatch) -> dict[str, Tensor]:
        categories = self.classifier.embed(self.words.categories, "category")
        attributes = self.classifier.embed(self.words.attributes, "attribute")
        base_crops = [] if batch.base is None else [batch.base["crops"]]
        embeddings, losses = self.tower(torch.cat([batch.crops, *base_crops]))
        embeddings = F.normalize(embeddings.float(), dim=-1)
        regions = len(batch.region_categories)
        images, regions, boxes = embeddings.split(
            [len(batch.crops) - regions, regions, len(embeddings) - len(batch.crops)]
        )
        texts = CaptionTexts(self.clip, self.own, batch, self.criterion.weights)
        losses |= self.criterion(
            images,
            texts,
            (self.classifier(images, categories), self.classifier(images, attributes)),
            (self.classifier(regions, categories), self.classifier(regions, attributes)),
            self.classifier.bias,
            batch,
        )
        if batch.base is None:
            return losses
        boxed, described = boxes.split(
            [len(batch.base["categories"]), len(batch.base["attributes"])]
        )
        return losses | self._base_losses(
            self.classifier(boxed, categories), self.classifier(described, attributes), batch.base
        )

    def _base_losses(
        self, category_logits: Tensor, attribute_logits: Tensor, base: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Step I's losses on its own boxes and on the base columns alone, named base_..."""
        categories, attributes = self.base_columns
        losses = self.base_criterion(
            category_logits[:, categories], attribute_logits[:, attributes], base
        )
        return {f"base_{name}": self.base_weight * loss for name, loss in losses.items()}


def train_with_captions(
    config: CaptionTraining,
    accelerator: Accelerator,
    *,
    resume: bool = False,
    data: BaseData | None = None,
    pairs: CaptionData | None = None,
    images: ImageCache | None = None,
) -> Path:
    """Train and write the checkpoint folder; returns it. data, pairs, images: already open ones,
    shared by several runs.
    """
    output = Path(config.output)
    clip, classifier, start = open_clip_attr(config.init_from)
    data = data or BaseData.open(config.detection, config.attributes, limit=config.limit)
    pairs = pairs or CaptionData.open(
        config.captions,
        config.images,
        config.pseudo_labels,
        start.vocabulary,
        require_known_words=config.require_known_words,
        limit=config.limit,
    )
    check_base_novel(data.vocabulary, start)
    _check_base_words(data.base, pairs.words, config.init_from)
    torch.manual_seed(config.seed)
    crops = CropRule(clip, images or ImageCache(config.image_cache_mb))
    base = BaseBoxDataset(
        data, crops, seed=config.seed, sampled_categories=config.loss.sampled_categories
    )
    dataset = CaptionDataset(
        pairs,
        crops,
        config.selection,
        seed=config.seed,
        base=base,
        with_largest=any(
            weight
            for name, weight in asdict(config.loss_weights).items()
            if name.startswith("image_")
        ),
    )
    loss = ClipLoss(
        local_loss=True,
        gather_with_grad=True,
        rank=accelerator.process_index,
        world_size=accelerator.num_processes,
    )
    criterion = CaptionCriterion(
        loss,
        config.loss_weights,
        ~pairs.words.attribute_seen,
        config.unmentioned_weight,
    )
    model = CaptionModel(
        clip,
        classifier,
        pairs.words,
        data.base,
        criterion,
        FederatedCriterion(data, config.loss),
        config,
    )
    shares = {CAPTIONS: (len(pairs.images), config.optimisation.batch_size)} | data.shares(
        config.base_batch_size, config.detection_share
    )
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
        output / "checkpoint", best.clip, best.classifier, start.vocabulary, start, asdict(config)
    )
    return output / "checkpoint"


def _check_base_words(base: Vocabulary, words: Vocabulary, start: str) -> None:
    missing = [
        *(word.name for word in base.categories if word.name not in words.category_index),
        *(word.name for word in base.attributes if word.name not in words.attribute_index),
    ]
    if missing:
        raise InputError(
            f"{len(missing)} base word(s) of the data, such as '{missing[0]}', are unknown to "
            f"{start} or its pseudo-labels; "
            "give step II the detection and attribute data of step I"
        )

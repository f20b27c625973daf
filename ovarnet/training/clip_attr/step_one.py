"""Stage "clip_attr", step I: prompts and text encoder learn base categories and base attributes
from boxes (method section 3).

R1 boxes of the detection data, R2 of the attribute data, R = R1 + R2; C base categories, A base
attributes, D the embedding width.
"""

from __future__ import annotations

import copy
import math
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from ovarnet.build import find_checkpoint
from ovarnet.checkpoint import Checkpoint, load_checkpoint
from ovarnet.config.settings import ClipAttrTraining, FederatedLoss, TrainedParts
from ovarnet.errors import InputError
from ovarnet.losses.distillation import cosine_loss
from ovarnet.losses.federated import attribute_loss, category_loss
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.training.clip_attr.trainable import TrainableClipAttr, save_clip_attr, start_clip_attr
from ovarnet.training.data.base_boxes import BaseBoxDataset, BaseData
from ovarnet.training.data.base_novel_check import check_base_novel, warn_base_novel
from ovarnet.training.data.crops import CropRule, ImageCache
from ovarnet.training.data.embedding_cache import EmbeddingCache
from ovarnet.training.engine.loop import run_stage
from ovarnet.training.engine.sampling import MixedSampler
from ovarnet.vocabulary import Vocabulary


class RegularisedTower:
    """Embeds crops with the image tower and, while that learns, tells how far it has moved from
    where it started.

    weight: of the mean of 1 - cosine; 0: no anchor. Measured in the generated world: without one,
    novel words are forgotten.
    """

    def __init__(self, clip: Clip, parts: TrainedParts, weight: float):
        self.clip, self.learns = clip, parts.image_tower > 0
        self.weight = weight if self.learns else 0.0
        self.reference = (
            copy.deepcopy(clip.model.visual).requires_grad_(False).eval() if self.weight else None
        )

    def __call__(self, crops: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """(R, 3, S, S) -> embeddings (R, D), and the loss "tower_regularisation" where there is
        one."""
        crops = crops.contiguous(memory_format=torch.channels_last)
        with torch.set_grad_enabled(self.learns and torch.is_grad_enabled()):
            embeddings = self.clip.encode_image(crops)
        if self.reference is None:
            return embeddings, {}
        with torch.no_grad():
            before = self.reference.to(crops.device)(crops)
        return embeddings, {"tower_regularisation": self.weight * cosine_loss(embeddings, before)}


class FederatedCriterion:
    """Judges the logits of a batch of base boxes, each source in its own label space."""

    def __init__(self, data: BaseData, settings: FederatedLoss):
        self.settings = settings
        self.category_weights, self.attribute_weights = data.weights(settings)

    def __call__(
        self, category_logits: Tensor, attribute_logits: Tensor, batch: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """category_logits: (R1, C). attribute_logits: (R2, A). batch: as from `BaseBoxDataset`. A
        source without boxes has no term.
        """
        losses = {}
        if len(attribute_logits):
            losses["attributes"] = attribute_loss(
                attribute_logits,
                batch["attributes"],
                self.attribute_weights,
                self.settings.unknown_weight,
            )
        if len(category_logits):
            losses["categories"] = self.settings.category_weight * category_loss(
                category_logits, batch["categories"], self.category_weights, batch.get("judged")
            )
        return losses


class FederatedModel(TrainableClipAttr):
    """CLIP-Attr in step I, called with one batch of `BaseBoxDataset`."""

    def __init__(
        self,
        clip: Clip,
        classifier: TextClassifier,
        base: Vocabulary,
        criterion: FederatedCriterion,
        parts: TrainedParts,
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
    if config.cached_views and config.trained.image_tower:
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
    if config.trained.bias and not is_learned:
        _fill_bias(classifier, dataset, data.base, config)
    model = FederatedModel(
        clip,
        classifier,
        data.base,
        FederatedCriterion(data, config.loss),
        config.trained,
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
    if config.start is None or config.proposer is None or config.start.startswith("clip-attr:"):
        return [proposer]
    return [proposer, load_checkpoint(find_checkpoint(config.start))]


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
        classifier.bias.fill_(
            start_bias(classifier.eval(), embeddings, base, config.prior_probability)
        )

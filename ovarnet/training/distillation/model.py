"""OvarNet in training: one batch in, named losses out (method sections 5 and 6).

R regions of a batch, T of them with an embedding of the teacher, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection.transform import resize_boxes

from ovarnet.config import Optimisation
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.modeling.roi_heads import Features
from ovarnet.modeling.text.word_embeddings import EncodedVocabulary
from ovarnet.training.data.base_boxes import base_vocabulary
from ovarnet.training.distillation.criterion import OvarnetCriterion
from ovarnet.training.distillation.dataset import DistillationBatch, ImageTargets
from ovarnet.training.distillation.region_sampling import RegionTargets, sample_regions
from ovarnet.training.distillation.score_scales import ScoreScales
from ovarnet.training.distillation.teacher import Teacher
from ovarnet.training.distillation.teacher_adapter import TeacherAdapter, labels_of_teacher_rows
from ovarnet.training.engine.schedule import parameter_groups


class DistillationModel(nn.Module):
    """OvarNet and its losses. The text side is frozen.

    Args:
        model: The student.
        criterion: The losses.
        teacher: None without distillation. It is not a module and so kept out of the module tree:
            its weights are not in state_dict().
        roi_batch_size: Regions per image in the losses.
        backbone_lr_multiplier: Learning rate of the trunk as a multiple of the full one; 0 freezes
            it.
        with_adapter: Put a `TeacherAdapter` behind the teacher.
    """

    def __init__(
        self,
        model: OvarNet,
        criterion: OvarnetCriterion,
        teacher: Teacher | None,
        *,
        roi_batch_size: int,
        backbone_lr_multiplier: float,
        with_adapter: bool = False,
    ):
        super().__init__()
        self.model, self.criterion, self.teacher = model, criterion, teacher
        self.roi_batch_size = roi_batch_size
        self.backbone_lr_multiplier = backbone_lr_multiplier
        calibration = model.classifier.calibration
        self.scales = ScoreScales(calibration)
        self.adapter = None
        if teacher is not None and with_adapter:
            self.adapter = TeacherAdapter(teacher.embed_dim, calibration)
        model.clip.requires_grad_(False)
        model.classifier.requires_grad_(False)
        self.trunk.requires_grad_(backbone_lr_multiplier > 0)

    @property
    def trunk(self) -> nn.Module:
        """CLIP's image tower in the student's backbone."""
        trunk = self.model.backbone.trunk
        assert isinstance(trunk, nn.Module)
        return trunk

    @cached_property
    def words(self) -> EncodedVocabulary:
        """All words, encoded once: the text side is frozen."""
        return self.model.classifier.encode_vocabulary(self.model.vocabulary)

    @cached_property
    def base_words(self) -> EncodedVocabulary:
        """The base words, encoded once."""
        return self.model.classifier.encode_vocabulary(base_vocabulary(self.model.vocabulary))

    def forward(self, batch: DistillationBatch) -> dict[str, Tensor]:
        """Return the named losses of a batch."""
        pixels, sizes, original = self.model.preprocess(batch.images)
        targets = [
            in_batch_frame(target, before, after)
            for target, before, after in zip(batch.targets, original, sizes, strict=True)
        ]

        # one pass of the encoder, and class-agnostic boxes
        features = self.model.extract_features(pixels)
        proposals, rpn_losses = self.propose(features, sizes, targets)

        # regions that enter the losses, pooled from the same features
        regions = [
            sample_regions(boxes, target, self.roi_batch_size)
            for boxes, target in zip(proposals, targets, strict=True)
        ]
        embeddings, deltas = self.model.head(features, [one.boxes for one in regions], sizes)
        base_logits = self.logits(embeddings, self.base_words, self.scales)
        every = RegionTargets.concatenate(regions)
        return (
            rpn_losses
            | self.criterion.loss_labels(*base_logits, deltas, every)
            | self.distil(embeddings, regions, targets)
        )

    def propose(
        self, features: Features, sizes: list[tuple[int, int]], targets: Sequence[ImageTargets]
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Boxes of each image, and the losses of the RPN."""
        anchors = self.model.rpn(features.pyramid)
        proposals, _ = self.model.rpn.propose(anchors, sizes)
        return proposals, self.criterion.loss_rpn(anchors, targets)

    def logits(
        self, embeddings: Tensor, words: EncodedVocabulary, scales: ScoreScales
    ) -> tuple[Tensor, Tensor]:
        """Embeddings (R, D) -> logits of the categories and of the attributes of `words`."""
        classifier = self.model.classifier
        return (
            scales(classifier.cosines(embeddings, words.categories), "category"),
            scales(classifier.cosines(embeddings, words.attributes), "attribute"),
        )

    def distil(
        self,
        embeddings: Tensor,
        regions: Sequence[RegionTargets],
        targets: Sequence[ImageTargets],
    ) -> dict[str, Tensor]:
        """Losses of distillation, and those of the adapter.

        Args:
            embeddings: (R, D) of the student.
            regions: Of each image, R in all.
            targets: Of each image.

        Returns:
            Named losses; none without a teacher.
        """
        if self.teacher is None:
            return {}
        # The teacher embeds every box and proposal once, however many regions lie on it.
        teacher = self.teacher_embeddings(self.teacher, targets)
        losses = {}
        if self.adapter is not None:
            teacher = self.adapter(teacher)
            losses = self.adapter_losses(self.adapter, teacher, targets)
            # labels train the adapter; the student must not
            teacher = teacher.detach()

        rows = teacher_rows_of_batch(regions, targets)
        student, teacher = embeddings[rows >= 0], teacher[rows[rows >= 0]]
        if self.criterion.distillation.kind == "feature":
            return losses | self.criterion.loss_features(student, teacher)

        if self.adapter is None:
            teacher_logits = self.teacher.logits(teacher)
        else:
            teacher_logits = self.logits(teacher, self.words, self.adapter.scales)
        categories, attributes = (logits.detach() for logits in teacher_logits)
        return losses | self.criterion.loss_probabilities(
            self.logits(student, self.words, self.scales), (categories, attributes)
        )

    @staticmethod
    def teacher_embeddings(teacher: Teacher, targets: Sequence[ImageTargets]) -> Tensor:
        """(T, D) of the boxes and proposals of all images: cached ones, or of their crops."""
        cached = [one.teacher_embeddings for one in targets if one.teacher_embeddings is not None]
        if cached:
            return torch.cat(cached)
        return teacher.embed(
            torch.cat([one.teacher_crops for one in targets if one.teacher_crops is not None])
        )

    def adapter_losses(
        self, adapter: TeacherAdapter, embeddings: Tensor, targets: Sequence[ImageTargets]
    ) -> dict[str, Tensor]:
        """Losses by labels of base words, for adapted embeddings (T, D)."""
        logits = self.logits(embeddings, self.base_words, adapter.scales)
        return self.criterion.loss_adapter(*logits, *labels_of_teacher_rows(targets))

    def groups(self, settings: Optimisation) -> list[dict[str, Any]]:
        """Parameter groups of the optimiser.

        The trunk has its multiple of the learning rate, all new modules the full one.
        """
        backbone = self.model.backbone
        new = [module for name, module in backbone.named_children() if name != "trunk"]
        new += [self.model.rpn, self.model.head, self.scales]
        new += [] if self.adapter is None else [self.adapter]
        modules = [(self.trunk, self.backbone_lr_multiplier), *((one, 1.0) for one in new)]
        return [
            group
            for module, multiplier in modules
            if multiplier
            for group in parameter_groups(module, settings.lr * multiplier, settings.weight_decay)
        ]

    def bound_scales(self) -> None:
        """Clamp all logit scales to at most 100, as in CLIP; called after each step."""
        self.scales.bound()
        if self.adapter is not None:
            self.adapter.scales.bound()

    def train(self, mode: bool = True) -> DistillationModel:
        """Set the mode; texts and trunk stay in eval mode.

        Words are encoded once, and BatchNorm keeps CLIP's statistics.
        """
        super().train(mode)
        for module in (self.model.clip, self.model.classifier, self.trunk):
            module.eval()
        return self


def in_batch_frame(
    targets: ImageTargets, before: tuple[int, int], after: tuple[int, int]
) -> ImageTargets:
    """Map boxes and proposals from the image's pixels to the batch's.

    Args:
        targets: In the frame of the image.
        before: Height and width of the image.
        after: Height and width of the resized image, without padding.
    """
    return replace(
        targets,
        boxes=resize_boxes(targets.boxes, before, after),
        proposals=resize_boxes(targets.proposals, before, after),
    )


def teacher_rows_of_batch(
    regions: Sequence[RegionTargets], targets: Sequence[ImageTargets]
) -> Tensor:
    """(R,) int64: row of each region in the teacher's embeddings of all images, or -1."""
    rows, first = [], 0
    for one, target in zip(regions, targets, strict=True):
        rows.append(torch.where(one.teacher_rows >= 0, one.teacher_rows + first, -1))
        first += target.teacher_count
    return torch.cat(rows)

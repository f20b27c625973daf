"""OvarNet in training."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor, nn
from torchvision.models.detection.transform import resize_boxes

from ovarnet.config import Optimisation
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.modeling.text.word_embeddings import EncodedVocabulary
from ovarnet.training.data.base_boxes import base_vocabulary
from ovarnet.training.distillation.criterion import OvarnetCriterion
from ovarnet.training.distillation.dataset import ImageTargets
from ovarnet.training.distillation.region_sampling import (
    RegionTargets,
    join_regions,
    sample_regions,
)
from ovarnet.training.distillation.score_scales import ScoreScales
from ovarnet.training.distillation.teacher import Teacher
from ovarnet.training.distillation.teacher_adapter import TeacherAdapter, labels_of_teacher_rows
from ovarnet.training.engine.schedule import parameter_groups


class DistillationModel(nn.Module):
    """OvarNet in training, called with one batch of `DistillationDataset`. Texts are frozen; the
    trunk learns when its rate is not 0.

    regions: per image in the losses. teacher: None without distillation; it is used, not owned, so
    that no state holds it. adapter: with a `TeacherAdapter` behind it.
    """

    def __init__(
        self,
        model: OvarNet,
        criterion: OvarnetCriterion,
        teacher: Teacher | None,
        *,
        regions: int,
        backbone_rate: float,
        adapter: bool = False,
    ):
        super().__init__()
        self.model, self.criterion, self.regions, self.backbone_rate = (
            model,
            criterion,
            regions,
            backbone_rate,
        )
        self._teacher = (teacher,)
        self.scales = ScoreScales(model.classifier.calibration)
        self.adapter = (
            TeacherAdapter(teacher.model.clip.embed_dim, model.classifier.calibration)
            if adapter
            else None
        )
        model.clip.requires_grad_(False)
        model.classifier.requires_grad_(False)
        model.backbone.trunk.requires_grad_(backbone_rate > 0)

    @property
    def teacher(self) -> Teacher | None:
        return self._teacher[0]

    @cached_property
    def words(self) -> EncodedVocabulary:
        """All words, encoded once: the text side is frozen."""
        return self.model.classifier.encode_vocabulary(self.model.vocabulary)

    @cached_property
    def base(self) -> EncodedVocabulary:
        """The base words, encoded once."""
        return self.model.classifier.encode_vocabulary(base_vocabulary(self.model.vocabulary))

    def forward(self, batch: tuple[list[Tensor], list[ImageTargets]]) -> dict[str, Tensor]:
        images, targets = batch
        pixels, sizes, original = self.model.preprocess(images)
        targets = [in_batch_frame(*parts) for parts in zip(targets, original, sizes, strict=True)]
        features = self.model.extract_features(pixels)
        anchors = self.model.rpn(features.pyramid)
        proposals, _ = self.model.rpn.propose(anchors, sizes)
        picked = [
            sample_regions(found, target, self.regions)
            for found, target in zip(proposals, targets, strict=True)
        ]
        embeddings, deltas = self.model.head(features, [regions.boxes for regions in picked], sizes)
        regions = join_regions(picked)
        return (
            self.criterion.loss_rpn(anchors, targets)
            | self.criterion.loss_labels(
                *self.logits(embeddings, self.base, self.scales), deltas, regions
            )
            | self.distil(embeddings, picked, targets)
        )

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
        self, embeddings: Tensor, picked: list[RegionTargets], targets: list[ImageTargets]
    ) -> dict[str, Tensor]:
        """The teacher is asked once about every box and proposal, not about every region."""
        if self.teacher is None:
            return {}
        seen = torch.cat([target.teacher for target in targets])
        rows, first = [], 0
        for regions, target in zip(picked, targets, strict=True):
            rows.append(torch.where(regions.teacher_rows >= 0, regions.teacher_rows + first, -1))
            first += len(target.teacher)
        rows = torch.cat(rows)
        answers, losses = self.adapted(self.teacher.embed(seen), targets)
        answers, student = answers[rows[rows >= 0]], embeddings[rows >= 0]
        if self.criterion.distillation.kind == "feature":
            return losses | self.criterion.loss_features(student, answers)
        said = (
            self.teacher.logits(answers)
            if self.adapter is None
            else self.logits(answers, self.words, self.adapter.scales)
        )
        return losses | self.criterion.loss_probabilities(
            self.logits(student, self.words, self.scales), tuple(z.detach() for z in said)
        )

    def adapted(
        self, answers: Tensor, targets: list[ImageTargets]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The teacher's embeddings (T, D) behind its adapter, where it has one, without gradient;
        and the losses that teach the adapter.
        """
        if self.adapter is None:
            return answers, {}
        answers = self.adapter(answers)
        losses = self.criterion.loss_adapter(
            *self.logits(answers, self.base, self.adapter.scales), *labels_of_teacher_rows(targets)
        )
        return answers.detach(), losses

    def groups(self, settings: Optimisation) -> list[dict]:
        """The optimiser's groups: the trunk at its share of the rate, everything new at the full
        one.
        """
        parts = [(self.model.backbone.trunk, self.backbone_rate)]
        parts += [
            (module, 1.0)
            for name, module in self.model.backbone.named_children()
            if name != "trunk"
        ]
        parts += [
            (module, 1.0)
            for module in (self.model.rpn, self.model.head, self.scales, self.adapter)
            if module is not None
        ]
        return [
            group
            for module, rate in parts
            if rate
            for group in parameter_groups(module, settings.lr * rate, settings.weight_decay)
        ]

    def bound_scales(self) -> None:
        """No logit scale beyond 100, as in CLIP."""
        for scales in [self.scales] if self.adapter is None else [self.scales, self.adapter.scales]:
            scales.bound()

    def train(self, mode: bool = True) -> DistillationModel:
        """Texts and trunk stay in eval mode: the words are encoded once, and BatchNorm keeps CLIP's
        statistics.
        """
        super().train(mode)
        for part in (self.model.clip, self.model.classifier, self.model.backbone.trunk):
            part.eval()
        return self


def in_batch_frame(
    targets: ImageTargets, before: tuple[int, int], after: tuple[int, int]
) -> ImageTargets:
    """Boxes and proposals brought from the image's pixels to the batch's."""
    return targets._replace(
        boxes=resize_boxes(targets.boxes, before, after),
        proposals=resize_boxes(targets.proposals, before, after),
    )

"""The region head of OvarNet with its losses (method sections 5 and 6).

R regions of a batch, C base categories, A base attributes, D the joint embedding width.
"""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ovarnet.config import RegionLossWeights
from ovarnet.losses.detection import background_loss
from ovarnet.losses.distillation import cosine_loss, kl_divergence
from ovarnet.losses.federated import attribute_loss, category_loss
from ovarnet.modeling.clip.concept_tower import ConceptTower
from ovarnet.modeling.concept_roi_head import ConceptStages
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.modeling.text.word_embeddings import EncodedVocabulary
from ovarnet.training.data.base_boxes import base_vocabulary
from ovarnet.training.distillation.score_scales import ScoreScales
from ovarnet.training.region_head.data import RegionBatch, RegionLabels

SMALLEST_DEVIATION = 1e-3


class RegionHeadModel(nn.Module):
    """Trains the last stages of the tower and its head on regions of the whole photo.

    A crop is seen at full resolution, and a region through the maps of the whole photo. What the
    frozen tower gives for the crop is the target: the features before the classifier, the
    classifier's answer, and the embedding. None of them needs a label, so that the student keeps
    what the teacher knows about objects without a name in training.

    Args:
        model: The student; everything but the region head stays as it is.
        teacher: The image tower of the photo CLIP, frozen. It is not registered, so that its
            weights are not in state_dict().
        deviations: (F,) float32, standard deviations of the teacher's pooled features.
        weights: Of the losses.
        frequency_weights: Of base categories (C,) and base attributes (A,).
    """

    deviations: Tensor

    def __init__(
        self,
        model: OvarNet,
        teacher: ConceptTower,
        deviations: Tensor,
        weights: RegionLossWeights,
        frequency_weights: tuple[Tensor, Tensor],
    ):
        super().__init__()
        self.model = model.requires_grad_(False)
        for part in (self.cells.stages, self.cells.pool, self.cells.head):
            part.requires_grad_(True)
        # boxes are refined by the proposer's stage; here they stay as they are
        last = self.cells.deltas[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        self.scales = ScoreScales(model.classifier.calibration)
        self._teacher = [teacher.requires_grad_(False).eval()]
        self.register_buffer(
            "deviations", deviations.clamp(min=SMALLEST_DEVIATION), persistent=False
        )
        self.weights = weights
        self.category_weights, self.attribute_weights = frequency_weights

    @property
    def cells(self) -> ConceptStages:
        """The part of the student that is trained."""
        cells = self.model.head.cells
        assert isinstance(cells, ConceptStages)
        return cells

    @cached_property
    def base_words(self) -> EncodedVocabulary:
        """The base words, encoded once: the text side is frozen."""
        return self.model.classifier.encode_vocabulary(base_vocabulary(self.model.vocabulary))

    def forward(self, batch: RegionBatch) -> dict[str, Tensor]:
        """The losses of a batch, by name."""
        cells = self.cells
        features = cells.features(batch.cells.contiguous(memory_format=torch.channels_last))
        answers = cells.classifier(features.pooled)
        embeddings = cells.head(features, answers)
        with torch.no_grad():
            target = self._teacher[0].embed(batch.crop_features)
            target_answers = cells.classifier(batch.pooled)

        weights = self.weights
        return {
            "features": weights.features
            * F.mse_loss(features.pooled / self.deviations, batch.pooled / self.deviations),
            "classes": weights.classes * kl_divergence(answers, target_answers),
            "embeddings": weights.embeddings * cosine_loss(embeddings, target),
            **self._loss_labels(embeddings, batch.labels),
        }

    def _loss_labels(self, embeddings: Tensor, labels: RegionLabels) -> dict[str, Tensor]:
        """Losses by labels of base words."""
        cosines, words = self.model.classifier.cosines, self.base_words
        categories = self.scales(cosines(embeddings, words.categories), "category")
        attributes = self.scales(cosines(embeddings, words.attributes), "attribute")
        weights = self.weights
        return {
            "categories": weights.categories
            * category_loss(categories, labels.categories, self.category_weights),
            "background": weights.background
            * background_loss(categories, self.category_weights, labels.is_background),
            "attributes": weights.attributes
            * attribute_loss(
                attributes, labels.attributes, self.attribute_weights, unknown_weight=0.0
            ),
        }

    def bound_scales(self) -> None:
        """Clamp the logit scales to at most 100, as in CLIP; called after each step."""
        self.scales.bound()

    def train(self, mode: bool = True) -> RegionHeadModel:
        """Set the mode of the region head; everything else stays in evaluation mode."""
        super().train(mode)
        self.model.eval()
        self.model.head.train(mode)
        return self

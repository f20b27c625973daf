"""What OvarNet is judged by: which anchors and regions carry which losses, and the losses (method
sections 5 and 6).

M anchors and N boxes of an image; over a batch R regions, T regions that the teacher was asked
about, C base categories, A base attributes, W words of one kind that are distilled, D embedding
width. Boxes are in the batch frame.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.models.detection._utils import BoxCoder

from ovarnet.config import Distillation, OvarnetLossWeights
from ovarnet.losses.assignment import anchor_labels, match, sample
from ovarnet.losses.detection import background_loss, box_loss, objectness_loss
from ovarnet.losses.distillation import cosine_loss, kl_divergence
from ovarnet.losses.federated import attribute_loss, category_loss
from ovarnet.modeling.rpn import AnchorPredictions
from ovarnet.structures import UNKNOWN
from ovarnet.training.distillation.dataset import ImageTargets
from ovarnet.training.distillation.region_sampling import RegionTargets

ANCHOR_IOU, ANCHOR_BACKGROUND_IOU = 0.6, 0.3
ADAPTER_WEIGHT = 0.25
FEATURE_WEIGHT = 5.0
UNKNOWN_WEIGHT = 0.15
"""Of unknown attribute labels as weak negatives."""


class OvarnetCriterion:
    """category_weights (C,), attribute_weights (A,): frequency weights of the base words."""

    def __init__(
        self,
        category_weights: Tensor,
        attribute_weights: Tensor,
        weights: OvarnetLossWeights,
        distillation: Distillation,
        box_coder: BoxCoder,
        anchor_coder: BoxCoder,
        anchors: int,
    ):
        self.category_weights, self.attribute_weights, self.anchors = (
            category_weights,
            attribute_weights,
            anchors,
        )
        self.weights, self.distillation = weights, distillation
        self.box_coder, self.anchor_coder = box_coder, anchor_coder

    def loss_rpn(
        self, predictions: AnchorPredictions, targets: list[ImageTargets]
    ) -> dict[str, Tensor]:
        """Losses of the RPN. Anchors on boxes that teach no boxes are left out, and all those of
        images without annotation.
        """
        logits, labels, deltas, goals = [], [], [], []
        for row, target in enumerate(targets):
            if not target.rpn_supervised:
                continue
            matched = match(
                predictions.anchors,
                target.boxes,
                target.is_crowd,
                ANCHOR_IOU,
                ANCHOR_BACKGROUND_IOU,
                best_too=True,
            )
            image_labels = anchor_labels(matched, target.is_box_supervised)
            positive, negative = sample(image_labels, self.anchors)
            chosen = torch.cat([positive, negative])
            logits.append(predictions.logits[row, chosen])
            labels.append(image_labels[chosen])
            deltas.append(predictions.deltas[row, positive])
            goals.append(
                self.anchor_coder.encode_single(
                    target.boxes[matched[positive]], predictions.anchors[positive]
                )
            )
        nothing = predictions.deltas.reshape(-1, 4)[:0]
        logits, labels = torch.cat([nothing[:, 0], *logits]), torch.cat([nothing[:, 0], *labels])
        deltas, goals = torch.cat([nothing, *deltas]), torch.cat([nothing, *goals])
        return {
            "rpn_objectness": self.weights.rpn_objectness * objectness_loss(logits, labels),
            "rpn_boxes": self.weights.rpn_boxes * box_loss(deltas, goals, len(labels)),
        }

    def loss_labels(
        self,
        category_logits: Tensor,
        attribute_logits: Tensor,
        deltas: Tensor,
        regions: RegionTargets,
    ) -> dict[str, Tensor]:
        """Losses that need labels. category_logits: (R, C), attribute_logits: (R, A), of base words
        only; deltas: (R, 4).
        """
        taught = regions.is_box_supervised
        goals = self.box_coder.encode_single(regions.gt_boxes[taught], regions.boxes[taught])
        described = (regions.attributes != UNKNOWN).any(dim=1)
        return {
            "boxes": self.weights.boxes * box_loss(deltas[taught], goals, int(taught.sum())),
            "categories": self.weights.categories
            * category_loss(category_logits, regions.categories, self.category_weights),
            "background": self.weights.background
            * background_loss(category_logits[regions.is_background], self.category_weights),
            "attributes": self.weights.attributes
            * attribute_loss(
                attribute_logits[described],
                regions.attributes[described],
                self.attribute_weights,
                UNKNOWN_WEIGHT,
            ),
        }

    def loss_adapter(
        self,
        category_logits: Tensor,
        attribute_logits: Tensor,
        categories: Tensor,
        attributes: Tensor,
    ) -> dict[str, Tensor]:
        """Losses of the teacher's adapter. category_logits: (T, C), attribute_logits: (T, A), of
        base words only; labels: (T,), (T, A).
        """
        described = (attributes != UNKNOWN).any(dim=1)
        return {
            "teacher_categories": ADAPTER_WEIGHT
            * category_loss(category_logits, categories, self.category_weights),
            "teacher_attributes": ADAPTER_WEIGHT
            * attribute_loss(
                attribute_logits[described],
                attributes[described],
                self.attribute_weights,
                UNKNOWN_WEIGHT,
            ),
        }

    def loss_probabilities(
        self, student: tuple[Tensor, Tensor], teacher: tuple[Tensor, Tensor]
    ) -> dict[str, Tensor]:
        """KL to the teacher over all words, base and novel; categories and attributes each with
        their own softmax. Logits (T, W).
        """
        return {
            "distil_categories": self.distillation.category_weight
            * kl_divergence(student[0], teacher[0]),
            "distil_attributes": self.distillation.attribute_weight
            * kl_divergence(student[1], teacher[1]),
        }

    def loss_features(self, student: Tensor, teacher: Tensor) -> dict[str, Tensor]:
        """1 - cosine to the teacher's embedding, (T, D) both."""
        return {"distil_features": FEATURE_WEIGHT * cosine_loss(student, teacher)}

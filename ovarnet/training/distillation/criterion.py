"""Losses of OvarNet (method sections 5 and 6).

M anchors and N boxes of an image; over a batch R regions, T of them distilled, C base categories, A
base attributes, W words of one kind, D embedding width. Boxes are in the batch frame.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision.models.detection._utils import BoxCoder

from ovarnet.config import Distillation, OvarnetLossWeights
from ovarnet.losses.assignment import anchor_labels, match, sample_balanced
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
    """All losses of the stage "ovarnet", weighted.

    Args:
        category_weights: (C,) float32, frequency weights of the base categories.
        attribute_weights: (A,) float32, frequency weights of the base attributes.
        weights: Of the terms that need labels.
        distillation: Kind and weights of distillation.
        box_coder: Encodes the targets of the region head.
        anchor_coder: Encodes the targets of the RPN.
        rpn_batch_size: Anchors per image in the losses, at most half of them positive.
    """

    def __init__(
        self,
        category_weights: Tensor,
        attribute_weights: Tensor,
        weights: OvarnetLossWeights,
        distillation: Distillation,
        box_coder: BoxCoder,
        anchor_coder: BoxCoder,
        rpn_batch_size: int,
    ):
        self.category_weights, self.attribute_weights = category_weights, attribute_weights
        self.weights, self.distillation = weights, distillation
        self.box_coder, self.anchor_coder = box_coder, anchor_coder
        self.rpn_batch_size = rpn_batch_size

    def loss_rpn(
        self, predictions: AnchorPredictions, targets: Sequence[ImageTargets]
    ) -> dict[str, Tensor]:
        """Losses of the RPN: "rpn_objectness" and "rpn_boxes".

        Args:
            predictions: Of all anchors of the batch.
            targets: Of each image; those that do not supervise the RPN are left out.
        """
        logits, labels, deltas, goals = [], [], [], []
        for row, target in enumerate(targets):
            if not target.rpn_supervised:
                continue
            # every box gets its best anchor, however low the IoU, or small ones would get none
            matched = match(
                predictions.anchors,
                target.boxes,
                target.is_ignored,
                ANCHOR_IOU,
                ANCHOR_BACKGROUND_IOU,
                allow_low_quality_matches=True,
            )

            # a balanced sample: nearly all anchors are background
            image_labels = anchor_labels(matched, target.is_box_supervised)
            positive, negative = sample_balanced(image_labels, self.rpn_batch_size)
            sampled = torch.cat([positive, negative])
            logits.append(predictions.logits[row, sampled])
            labels.append(image_labels[sampled])

            # only positive anchors have a box to regress to
            deltas.append(predictions.deltas[row, positive])
            goals.append(
                self.anchor_coder.encode_single(
                    target.boxes[matched[positive]], predictions.anchors[positive]
                )
            )

        # empty rows of the predictions, so that the losses have a graph where no image is left
        none = predictions.deltas.reshape(-1, 4)[:0]
        all_logits, all_labels = (torch.cat([none[:, 0], *rows]) for rows in (logits, labels))
        all_deltas, all_goals = (torch.cat([none, *rows]) for rows in (deltas, goals))
        return {
            "rpn_objectness": self.weights.rpn_objectness * objectness_loss(all_logits, all_labels),
            "rpn_boxes": self.weights.rpn_boxes * box_loss(all_deltas, all_goals, len(all_labels)),
        }

    def loss_labels(
        self,
        category_logits: Tensor,
        attribute_logits: Tensor,
        deltas: Tensor,
        regions: RegionTargets,
    ) -> dict[str, Tensor]:
        """Losses of regions with labels: "boxes", "categories", "background", "attributes".

        Args:
            category_logits: (R, C), base categories only.
            attribute_logits: (R, A), base attributes only.
            deltas: (R, 4).
            regions: Targets of the R regions.
        """
        on_box = regions.is_box_supervised
        goals = self.box_coder.encode_single(regions.gt_boxes[on_box], regions.boxes[on_box])
        weights = self.weights
        return {
            "boxes": weights.boxes * box_loss(deltas[on_box], goals, int(on_box.sum())),
            "categories": weights.categories
            * category_loss(category_logits, regions.categories, self.category_weights),
            "background": weights.background
            * background_loss(category_logits, self.category_weights, regions.is_background),
            "attributes": weights.attributes
            * self._attribute_loss(attribute_logits, regions.attributes),
        }

    def loss_adapter(
        self,
        category_logits: Tensor,
        attribute_logits: Tensor,
        categories: Tensor,
        attributes: Tensor,
    ) -> dict[str, Tensor]:
        """Losses of the teacher's adapter: "teacher_categories" and "teacher_attributes".

        Args:
            category_logits: (T, C), base categories only.
            attribute_logits: (T, A), base attributes only.
            categories: (T,) int64, base columns or NO_CATEGORY.
            attributes: (T, A) int8 labels.
        """
        return {
            "teacher_categories": ADAPTER_WEIGHT
            * category_loss(category_logits, categories, self.category_weights),
            "teacher_attributes": ADAPTER_WEIGHT
            * self._attribute_loss(attribute_logits, attributes),
        }

    def loss_probabilities(
        self, student: tuple[Tensor, Tensor], teacher: tuple[Tensor, Tensor]
    ) -> dict[str, Tensor]:
        """KL to the teacher: "distil_categories" and "distil_attributes".

        It is over all words, base and novel; each kind has its own softmax.

        Args:
            student: Logits (T, W) of the categories and of the attributes.
            teacher: Likewise.
        """
        return {
            "distil_categories": self.distillation.category_weight
            * kl_divergence(student[0], teacher[0]),
            "distil_attributes": self.distillation.attribute_weight
            * kl_divergence(student[1], teacher[1]),
        }

    def loss_features(self, student: Tensor, teacher: Tensor) -> dict[str, Tensor]:
        """1 - cosine to the teacher's embeddings: "distil_features". Both (T, D)."""
        return {"distil_features": FEATURE_WEIGHT * cosine_loss(student, teacher)}

    def _attribute_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Of the rows with a label; in the others nothing is known, not even weak negatives."""
        is_labelled = (labels != UNKNOWN).any(dim=1)
        return attribute_loss(
            logits[is_labelled], labels[is_labelled], self.attribute_weights, UNKNOWN_WEIGHT
        )

"""Losses of step I."""

from __future__ import annotations

from torch import Tensor

from ovarnet.config import FederatedLoss
from ovarnet.losses.federated import attribute_loss, category_loss
from ovarnet.training.data.base_boxes import BaseData


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
            losses["categories"] = category_loss(
                category_logits, batch["categories"], self.category_weights, batch.get("judged")
            )
        return losses

"""Losses of step I: each dataset supervises its own label space (method section 3)."""

from __future__ import annotations

from torch import Tensor

from ovarnet.config import FederatedLoss
from ovarnet.losses.federated import attribute_loss, category_loss
from ovarnet.training.data.base_data import BaseData
from ovarnet.training.data.base_dataset import BaseBoxBatch


class FederatedCriterion:
    """Category loss of detection boxes, attribute loss of attribute boxes.

    Args:
        data: The words are weighted by their frequency in it.
        settings: See `FederatedLoss`.
    """

    def __init__(self, data: BaseData, settings: FederatedLoss):
        self.settings = settings
        self.category_weights, self.attribute_weights = data.weights(settings)

    def __call__(
        self, category_logits: Tensor, attribute_logits: Tensor, batch: BaseBoxBatch
    ) -> dict[str, Tensor]:
        """Compute the losses of a batch.

        Args:
            category_logits: (R1, C) of the detection boxes, base columns; R1 may be 0.
            attribute_logits: (R2, A) of the attribute boxes, base columns; R2 may be 0.
            batch: Its labels.

        Returns:
            Scalars "categories" and "attributes"; a source without boxes has no term.
        """
        losses = {}
        if len(attribute_logits):
            losses["attributes"] = attribute_loss(
                attribute_logits,
                batch.attributes,
                self.attribute_weights,
                self.settings.unknown_weight,
            )
        if len(category_logits):
            losses["categories"] = category_loss(
                category_logits, batch.categories, self.category_weights, batch.sampled_categories
            )
        return losses

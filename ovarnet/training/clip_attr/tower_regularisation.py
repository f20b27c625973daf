"""Regularisation of a trained image tower towards the initial one (method section 3)."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from ovarnet.losses.distillation import cosine_loss
from ovarnet.modeling.clip.clip import Clip


class RegularisedTower:
    """Encodes crops, and penalises how far a trained image tower is from the initial one.

    Without the penalty novel words are forgotten (measured in the generated world).

    Not a module: the copy of the initial tower is kept out of the module tree, so it is not in
    state_dict().

    Args:
        clip: Its image tower is used, and copied where there is a penalty.
        is_trained: False for a frozen tower: no gradient and no penalty.
        weight: Of the penalty, the mean of 1 - cosine; 0: none.
    """

    def __init__(self, clip: Clip, *, is_trained: bool, weight: float):
        self.clip, self.is_trained = clip, is_trained
        self.weight = weight if is_trained else 0.0
        self.initial = None
        if self.weight:
            self.initial = copy.deepcopy(clip.model.visual).requires_grad_(False).eval()

    def __call__(self, crops: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Encode crops.

        Args:
            crops: (R, 3, S, S) float32, normalised.

        Returns:
            Embeddings (R, D), and the loss "tower_regularisation" where there is one.
        """
        crops = crops.contiguous(memory_format=torch.channels_last)
        with torch.set_grad_enabled(self.is_trained and torch.is_grad_enabled()):
            embeddings = self.clip.encode_image(crops)
        if self.initial is None:
            return embeddings, {}
        with torch.no_grad():
            initial = self.initial.to(crops.device)(crops)
        return embeddings, {"tower_regularisation": self.weight * cosine_loss(embeddings, initial)}

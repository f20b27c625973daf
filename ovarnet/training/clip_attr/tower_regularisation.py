"""Regularisation of a learning image tower."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from ovarnet.config import LrMultipliers
from ovarnet.losses.distillation import cosine_loss
from ovarnet.modeling.clip.clip import Clip


class RegularisedTower:
    """Embeds crops with the image tower and, while that learns, tells how far it has moved from
    where it started.

    weight: of the mean of 1 - cosine; 0: no anchor. Measured in the generated world: without one,
    novel words are forgotten.
    """

    def __init__(self, clip: Clip, parts: LrMultipliers, weight: float):
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

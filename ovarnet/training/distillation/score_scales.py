"""Learned scale and bias of the scores, for categories and attributes each."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ovarnet.modeling.clip.clip import MAX_LOGIT_SCALE
from ovarnet.modeling.text.classifier import logits_of
from ovarnet.vocabulary import KINDS, Kind


class ScoreScales(nn.Module):
    """z = exp(theta) cos + b, with one theta and one b for each kind of word (method section 5).

    Args:
        calibration: (2, 2) initial scale and bias, rows in the order of `KINDS`; the teacher's.
    """

    def __init__(self, calibration: Tensor):
        super().__init__()
        self.log_scale = nn.Parameter(calibration[:, 0].log())
        self.bias = nn.Parameter(calibration[:, 1].clone())

    def forward(self, cosines: Tensor, kind: Kind) -> Tensor:
        """Cosines (R, W) with words of one kind -> logits (R, W)."""
        row = KINDS.index(kind)
        return logits_of(cosines, self.log_scale[row].exp(), self.bias[row])

    @torch.no_grad()
    def bound(self) -> None:
        """Clamp the scales to 1 .. 100, as in CLIP; called after each step."""
        self.log_scale.clamp_(0, MAX_LOGIT_SCALE)

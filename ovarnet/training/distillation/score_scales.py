"""Learned scale and bias of the scores, apart for categories and attributes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ovarnet.modeling.clip.clip import MAX_LOGIT_SCALE
from ovarnet.modeling.text.classifier import logits_of
from ovarnet.vocabulary import KINDS, Kind


class ScoreScales(nn.Module):
    """z = exp(theta) cos + b, one theta and one b for categories and one for attributes; they start
    from the teacher's calibration.
    """

    def __init__(self, calibration: Tensor):
        super().__init__()
        self.log_scale = nn.Parameter(calibration[:, 0].log())
        self.bias = nn.Parameter(calibration[:, 1].clone())

    def forward(self, cosines: Tensor, kind: Kind) -> Tensor:
        row = KINDS.index(kind)
        return logits_of(cosines, self.log_scale[row].exp(), self.bias[row])

    @torch.no_grad()
    def bound(self) -> None:
        self.log_scale.clamp_(0, MAX_LOGIT_SCALE)

"""The adapter that the authors' code puts behind the teacher's image tower (method section 6); off
unless `distillation.adapter` is set.

T regions that the teacher was asked about, C base categories, A base attributes, D embedding width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ovarnet.structures import NO_CATEGORY, UNKNOWN
from ovarnet.training.distillation.dataset import ImageTargets
from ovarnet.training.distillation.score_scales import ScoreScales


class TeacherAdapter(nn.Module):
    """Embeddings (T, D) -> (T, D): Linear D to D/2, LeakyReLU, Linear D/2 to D.

    It learns from labels of base words, with scales of its own; what it makes of the teacher's
    answers is distilled, without gradient.
    """

    def __init__(self, width: int, calibration: Tensor):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width, width // 2), nn.LeakyReLU(), nn.Linear(width // 2, width)
        )
        self.scales = ScoreScales(calibration)

    def forward(self, embeddings: Tensor) -> Tensor:
        return self.layers(embeddings.float())


def labels_of_teacher_rows(targets: list[ImageTargets]) -> tuple[Tensor, Tensor]:
    """Categories (T,) and attributes (T, A) of what the teacher was asked about: an image's boxes,
    then its proposals, which like crowds have no label.
    """
    categories, attributes = [], []
    for target in targets:
        proposals, crowd = len(target.proposals), target.is_crowd
        categories += [
            target.categories.masked_fill(crowd, NO_CATEGORY),
            target.categories.new_full((proposals,), NO_CATEGORY),
        ]
        attributes += [
            target.attributes.masked_fill(crowd[:, None], UNKNOWN),
            target.attributes.new_full((proposals, target.attributes.shape[1]), UNKNOWN),
        ]
    return torch.cat(categories), torch.cat(attributes)

"""The adapter that the authors' code puts behind the teacher's image tower.

Method section 6; off unless `distillation.adapter` is set. T boxes and proposals that the teacher
embeds, C base categories, A base attributes, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ovarnet.structures import NO_CATEGORY, UNKNOWN
from ovarnet.training.distillation.dataset import ImageTargets
from ovarnet.training.distillation.score_scales import ScoreScales


class TeacherAdapter(nn.Module):
    """Linear D to D/2, LeakyReLU, Linear D/2 to D.

    It is trained by labels of base words, with scales of its own; what it makes of the teacher's
    embeddings is distilled, without gradient.

    Args:
        width: D.
        calibration: (2, 2), initial scales and biases, see `ScoreScales`.
    """

    def __init__(self, width: int, calibration: Tensor):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width, width // 2), nn.LeakyReLU(), nn.Linear(width // 2, width)
        )
        self.scales = ScoreScales(calibration)

    def forward(self, embeddings: Tensor) -> Tensor:
        """(T, D) -> (T, D) float32."""
        return self.layers(embeddings.float())


def labels_of_teacher_rows(targets: Sequence[ImageTargets]) -> tuple[Tensor, Tensor]:
    """Labels of what the teacher embeds: the boxes of each image, then its proposals.

    Args:
        targets: Of the images of a batch.

    Returns:
        Categories (T,) int64 and attributes (T, A) int8; ignored boxes and proposals have no
            label.
    """
    categories, attributes = [], []
    for target in targets:
        proposals, is_ignored = len(target.proposals), target.is_ignored
        categories += [
            target.categories.masked_fill(is_ignored, NO_CATEGORY),
            target.categories.new_full((proposals,), NO_CATEGORY),
        ]
        attributes += [
            target.attributes.masked_fill(is_ignored[:, None], UNKNOWN),
            target.attributes.new_full((proposals, target.attributes.shape[1]), UNKNOWN),
        ]
    return torch.cat(categories), torch.cat(attributes)

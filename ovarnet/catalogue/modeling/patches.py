"""Patches of a product: the uniform grid of FashionBERT, the five levels of Kaleido-BERT.

P patches. Boxes are xyxy in pixels of the photo.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

KALEIDO_LEVELS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class PatchLayout:
    """Which patches a product is cut into.

    Attributes:
        levels: Patches per side of each level, coarse to fine; (8,) is FashionBERT's grid and
            (1, 2, 3, 4, 5) Kaleido-BERT's.
    """

    levels: tuple[int, ...]

    @property
    def count(self) -> int:
        """P, over all levels."""
        return sum(side * side for side in self.levels)

    @property
    def slices(self) -> list[slice]:
        """The rows of each level among the P patches."""
        ends = list(accumulate(side * side for side in self.levels))
        return [slice(end - side * side, end) for side, end in zip(self.levels, ends, strict=True)]

    @property
    def level_of(self) -> Tensor:
        """(P,) int64, the level of each patch, from 0."""
        counts = torch.tensor([side * side for side in self.levels])
        return torch.arange(len(self.levels)).repeat_interleave(counts)

    def boxes(self, box: tuple[int, int, int, int]) -> Tensor:
        """Cut a box into patches that tile it at every level.

        Args:
            box: Whole pixels of the photo.

        Returns:
            (P, 4) int64, row by row within a level. Patches of a box with fewer pixels than patches
            on a side may be empty.
        """
        x1, y1, x2, y2 = box
        rows = []
        for side in self.levels:
            across = [x1 + round(i * (x2 - x1) / side) for i in range(side + 1)]
            down = [y1 + round(i * (y2 - y1) / side) for i in range(side + 1)]
            rows += [
                (across[column], down[row], across[column + 1], down[row + 1])
                for row in range(side)
                for column in range(side)
            ]
        return torch.tensor(rows)


def locate(boxes: Tensor, width: int, height: int) -> Tensor:
    """Kaleido-BERT's locations of patches.

    Args:
        boxes: (P, 4).
        width: Of the photo, pixels.
        height: Of the photo, pixels.

    Returns:
        (P, 5) float32: x1, x2, y1, y2 as shares of the photo's sides, and the share of its area.
    """
    x1, y1, x2, y2 = (boxes.float() / torch.tensor([width, height, width, height])).unbind(1)
    return torch.stack([x1, x2, y1, y2, (x2 - x1) * (y2 - y1)], dim=1)

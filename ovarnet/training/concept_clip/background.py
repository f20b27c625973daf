"""Crops of photos that show none of the annotated objects.

On them the classifier's own answer is kept: without them a head that is trained on a few categories
sees these everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ovarnet.structures import Annotations
from ovarnet.training.engine.seeds import seeded

TRIES = 20
MOST_COVERED = 0.1
"""Largest share of a crop that an annotated box may cover."""
SIDES = (0.2, 0.7)
"""Smallest and largest side of a crop, as a share of the image's."""


def background_boxes(images: Sequence[Annotations], seed: int) -> tuple[list[str], Tensor]:
    """Draw one box of every photo that has room for one.

    Args:
        images: Photos in which every object of a base category has a box.
        seed: Of the draws.

    Returns:
        Paths of B images, and boxes (B, 4) float32 xyxy in pixels.
    """
    files: list[str] = []
    boxes = [torch.zeros(0, 4)]
    for number, image in enumerate(images):
        free = _free_box(image, seeded(seed, number))
        if free is not None:
            files.append(image.file)
            boxes.append(free[None])
    return files, torch.cat(boxes)


def _free_box(image: Annotations, generator: torch.Generator) -> Tensor | None:
    """The first of `TRIES` random boxes (4,) that no annotated box covers; None: there is none."""
    draws = torch.rand(TRIES, 4, generator=generator)
    frame = torch.tensor([image.width, image.height])
    sides = (SIDES[0] + (SIDES[1] - SIDES[0]) * draws[:, :2]) * frame
    corners = draws[:, 2:] * (frame - sides)
    candidates = torch.cat([corners, corners + sides], dim=1)
    free = (~(_covered(candidates, image.boxes) > MOST_COVERED).any(dim=1)).nonzero().flatten()
    return candidates[free[0]] if len(free) else None


def _covered(candidates: Tensor, boxes: Tensor) -> Tensor:
    """(K, 4) and (N, 4) -> (K, N): the share of each candidate that each box covers."""
    top_left = torch.maximum(candidates[:, None, :2], boxes[None, :, :2])
    bottom_right = torch.minimum(candidates[:, None, 2:], boxes[None, :, 2:])
    overlap = (bottom_right - top_left).clamp(min=0).prod(dim=2)
    return overlap / (candidates[:, 2:] - candidates[:, :2]).prod(dim=1, keepdim=True)

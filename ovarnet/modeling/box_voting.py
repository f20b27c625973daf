"""Box voting: a box that was kept moves to the mean of all boxes that were found on its object.

After Gidaris and Komodakis, "Object detection via a multi-region and semantic segmentation-aware
CNN model" (ICCV 2015). Of many boxes that are each a little off, the mean fits better than the one
with the best score.

N images, K kept boxes, M candidates. Boxes are xyxy.
"""

from __future__ import annotations

import torch
from torch import Tensor

VOTE_IOU = 0.75
"""Candidates that overlap a kept box by at least as much are on its object."""
POWER = 3
"""A vote weighs as much as the score to this power, so that good boxes decide."""


def vote(kept: Tensor, boxes: Tensor, scores: Tensor) -> Tensor:
    """Move kept boxes to the weighted mean of the candidates on them.

    Args:
        kept: (N, K, 4).
        boxes: (N, M, 4), all candidates, those that were kept among them.
        scores: (N, M); candidates with a score of 0 or less have no vote.

    Returns:
        (N, K, 4); a box without any vote stays where it is.
    """
    upper_left = torch.maximum(kept[:, :, None, :2], boxes[:, None, :, :2])
    lower_right = torch.minimum(kept[:, :, None, 2:], boxes[:, None, :, 2:])
    intersection = (lower_right - upper_left).clamp(min=0).prod(dim=-1)
    union = _area(kept)[:, :, None] + _area(boxes)[:, None] - intersection
    weights = torch.where(
        intersection >= VOTE_IOU * union, scores.clamp(min=0)[:, None] ** POWER, 0.0
    )
    total = weights.sum(dim=-1, keepdim=True)
    # no matrix product, which autocast would compute in half precision
    mean = (weights[..., None] * boxes[:, None]).sum(dim=2) / total.clamp(min=1e-12)
    return torch.where(total > 0, mean, kept)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).prod(dim=-1)

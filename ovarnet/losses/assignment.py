"""Which annotated box an anchor or a region stands for, and which of them enter the losses (method
section 5).

M candidates (anchors or regions), N boxes of one image. Boxes are xyxy in one frame.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler, Matcher
from torchvision.ops import box_area, box_iou

BACKGROUND, BETWEEN = Matcher.BELOW_LOW_THRESHOLD, Matcher.BETWEEN_THRESHOLDS
IN_CROWD = 0.5


def match(
    candidates: Tensor,
    boxes: Tensor,
    is_crowd: Tensor,
    positive_iou: float,
    negative_iou: float,
    *,
    best_too: bool = False,
) -> Tensor:
    """(M,) int64: the row of the box that a candidate stands for, BACKGROUND (IoU with every box <
    `negative_iou`) or BETWEEN.

    is_crowd: (N,) bool; what lies in a crowd is no background, for a crowd box is around many
    objects. best_too: the best candidates of a box stand for it even below `positive_iou`. M and N
    may be 0.
    """
    if not len(boxes) or not len(candidates):
        return torch.full(
            (len(candidates),), BACKGROUND, dtype=torch.int64, device=candidates.device
        )
    matched = Matcher(positive_iou, negative_iou, allow_low_quality_matches=best_too)(
        box_iou(boxes, candidates)
    )
    return torch.where(
        (matched == BACKGROUND) & inside_crowd(candidates, boxes[is_crowd]), BETWEEN, matched
    )


def inside_crowd(candidates: Tensor, crowds: Tensor) -> Tensor:
    """(M,) bool: half of the candidate's area or more lies in one of the crowd boxes (K, 4). COCO
    measures overlap with a crowd so.
    """
    if not len(crowds):
        return torch.zeros(len(candidates), dtype=torch.bool, device=candidates.device)
    sides = (
        torch.minimum(candidates[:, None, 2:], crowds[:, 2:])
        - torch.maximum(candidates[:, None, :2], crowds[:, :2])
    ).clamp(min=0)
    return (sides.prod(dim=2) >= IN_CROWD * box_area(candidates)[:, None]).any(dim=1)


def anchor_labels(matched: Tensor, is_box_supervised: Tensor) -> Tensor:
    """(M,) 1 object, 0 background, -1 not judged: between the two, or matched to a box that does
    not teach boxes.

    matched: (M,) as from `match`. is_box_supervised: (N,) bool.
    """
    labels = torch.where(matched >= 0, 1, torch.where(matched == BACKGROUND, 0, -1))
    on_box = matched >= 0
    labels[on_box] = torch.where(is_box_supervised[matched[on_box]], 1, -1)
    return labels


def sample(labels: Tensor, number: int, positive_share: float = 0.5) -> tuple[Tensor, Tensor]:
    """Draw rows of (M,) labels (1, 0, -1) for the losses: at most `number`, at most
    `positive_share` of them positive; negatives fill up.

    Returns the positive and the negative rows, (P,) and (Q,) int64.
    """
    positives, negatives = BalancedPositiveNegativeSampler(number, positive_share)([labels])
    return positives[0].nonzero().flatten(), negatives[0].nonzero().flatten()

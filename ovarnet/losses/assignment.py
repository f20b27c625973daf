"""Which annotated box an anchor or a region stands for (method section 5).

M candidates (anchors or regions), N annotated boxes of one image. Boxes are xyxy in one frame.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler, Matcher
from torchvision.ops import box_area, box_iou

BACKGROUND, BETWEEN = Matcher.BELOW_LOW_THRESHOLD, Matcher.BETWEEN_THRESHOLDS
"""In place of the row of a box: none of them, or too close to one to be background."""
INSIDE_SHARE = 0.5
"""A candidate with this share of its area in a box is inside it."""


def match(
    candidates: Tensor,
    boxes: Tensor,
    is_ignored: Tensor,
    positive_iou: float,
    negative_iou: float,
    *,
    allow_low_quality_matches: bool = False,
) -> Tensor:
    """Match candidates to the box with the highest IoU.

    Args:
        candidates: (M, 4); M may be 0.
        boxes: (N, 4); N may be 0.
        is_ignored: (N,) bool. Candidates inside such a box (a crowd covers many objects) are not
            background.
        positive_iou: From here on a candidate is matched.
        negative_iou: Below it for all boxes, a candidate is background.
        allow_low_quality_matches: The best candidates of a box are matched to it even below
            `positive_iou`.

    Returns:
        (M,) int64: row of the matched box, BACKGROUND or BETWEEN.
    """
    if not len(boxes) or not len(candidates):
        return torch.full(
            (len(candidates),), BACKGROUND, dtype=torch.int64, device=candidates.device
        )
    matcher = Matcher(
        positive_iou, negative_iou, allow_low_quality_matches=allow_low_quality_matches
    )
    matched = matcher(box_iou(boxes, candidates))
    is_background = matched == BACKGROUND
    return torch.where(is_background & is_inside(candidates, boxes[is_ignored]), BETWEEN, matched)


def is_inside(candidates: Tensor, boxes: Tensor) -> Tensor:
    """Whether half of a candidate's area or more is in one of the boxes, as COCO treats crowds.

    Args:
        candidates: (M, 4).
        boxes: (K, 4); K may be 0.

    Returns:
        (M,) bool.
    """
    if not len(boxes):
        return torch.zeros(len(candidates), dtype=torch.bool, device=candidates.device)
    top_left = torch.maximum(candidates[:, None, :2], boxes[:, :2])
    bottom_right = torch.minimum(candidates[:, None, 2:], boxes[:, 2:])
    shared = (bottom_right - top_left).clamp(min=0).prod(dim=2)
    return (shared >= INSIDE_SHARE * box_area(candidates)[:, None]).any(dim=1)


def anchor_labels(matched: Tensor, is_box_supervised: Tensor) -> Tensor:
    """Labels of anchors for the objectness loss.

    Args:
        matched: (M,) as from `match`.
        is_box_supervised: (N,) bool: whether a box supervises the RPN.

    Returns:
        (M,): 1 object, 0 background, -1 ignored (between the two, or on a box that does not
        supervise).
    """
    labels = torch.where(matched >= 0, 1, torch.where(matched == BACKGROUND, 0, -1))
    on_box = matched >= 0
    labels[on_box] = torch.where(is_box_supervised[matched[on_box]], 1, -1)
    return labels


def sample_balanced(
    labels: Tensor, count: int, positive_share: float = 0.5
) -> tuple[Tensor, Tensor]:
    """Draw candidates for the losses; negatives fill up what positives leave.

    Args:
        labels: (M,) of 1, 0 and -1, as from `anchor_labels`.
        count: Most that are drawn.
        positive_share: Largest share of positives among them.

    Returns:
        Rows of the positives (P,) and of the negatives (Q,), int64.
    """
    positives, negatives = BalancedPositiveNegativeSampler(count, positive_share)([labels])
    return positives[0].nonzero().flatten(), negatives[0].nonzero().flatten()

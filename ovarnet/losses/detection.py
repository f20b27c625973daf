"""Losses of the RPN, of box refinement, and of background regions (method section 5)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

SMOOTH_L1_BETA = 1 / 9


def objectness_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy of sampled anchors, a mean.

    Args:
        logits: (M,); M may be 0.
        labels: (M,) 1 object or 0 background.
    """
    if not len(logits):
        return logits.sum() * 0
    return F.binary_cross_entropy_with_logits(logits, labels.to(logits))


def box_loss(deltas: Tensor, targets: Tensor, count: int) -> Tensor:
    """Smooth L1 of box deltas, summed over positives and the four deltas, divided by a count.

    Args:
        deltas: (P, 4) of the positives, encoded against their anchors or proposals; P may be 0.
        targets: (P, 4), likewise.
        count: What the sum is divided by, such as the number of sampled anchors; at least 1 is
            taken.
    """
    return F.smooth_l1_loss(deltas, targets, beta=SMOOTH_L1_BETA, reduction="sum") / max(count, 1)


def background_loss(logits: Tensor, weights: Tensor, is_background: Tensor) -> Tensor:
    """Weighted binary cross-entropy of regions without an object, whose categories are negative.

    Args:
        logits: (R, C); R and C may be 0.
        weights: (C,) of the categories.
        is_background: (R, C) bool, the negatives; or (R,), which stands for all categories.

    Returns:
        The mean over the negatives; 0 without one.
    """
    negative = is_background if is_background.ndim == 2 else is_background[:, None]
    negative = negative.expand_as(logits)
    losses = (F.softplus(logits) * weights.to(logits))[negative]
    return losses.mean() if len(losses) else logits.sum() * 0

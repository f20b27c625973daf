"""Losses of class-agnostic boxes: anchors, box refinement, and background regions (method section
5).

Every loss is a scalar that is exactly 0, with a gradient of 0, when there is nothing to judge.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

SMOOTH_L1_BETA = 1 / 9


def objectness_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean BCE. logits, labels: (M,) of the sampled anchors, labels 1 or 0."""
    if not len(logits):
        return logits.sum() * 0
    return F.binary_cross_entropy_with_logits(logits, labels.to(logits))


def box_loss(deltas: Tensor, targets: Tensor, judged: int) -> Tensor:
    """Smooth L1 over the positives, summed over the four deltas, divided by `judged`, the number of
    sampled rows (at least 1 is taken).

    deltas, targets: (P, 4), encoded against the anchors or proposals. P may be 0.
    """
    return F.smooth_l1_loss(deltas, targets, beta=SMOOTH_L1_BETA, reduction="sum") / max(judged, 1)


def background_loss(logits: Tensor, weights: Tensor) -> Tensor:
    """Regions that show no object: every category is wrong. logits: (R, C), weights: (C,). Mean
    weighted BCE; R and C may be 0.
    """
    if not logits.numel():
        return logits.sum() * 0
    return (F.softplus(logits) * weights.to(logits)).mean()

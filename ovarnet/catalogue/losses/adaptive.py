"""Adaptive weights of several losses, in closed form (FashionBERT, section on adaptive loss).

K losses. The task that is furthest behind gets more weight, and no task is neglected: the weights
minimise 1/2 sum_i (alpha K - g_i^2) w_i^2 on sum w = 1, with g = softmax of the losses in place of
the norms of their gradients.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

ALPHA = 1.0
"""Pulls the weights together; any value of at least 1 / K gives positive ones."""


def adaptive_weights(losses: Tensor) -> Tensor:
    """Weights of K losses.

    Args:
        losses: (K,), 0 or more each.

    Returns:
        (K,), positive, with sum 1 and without a gradient; equal losses give 1 / K each.
    """
    shares = losses.detach().softmax(dim=0)
    inverse = 1 / (ALPHA * len(losses) - shares**2)
    return inverse / inverse.sum()


def weigh_losses(losses: Mapping[str, Tensor], weights: str) -> dict[str, Tensor]:
    """Multiply losses by their weights.

    Args:
        losses: Name -> scalar.
        weights: "sum" (1 each), "equal" (1 / K each) or "adaptive".

    Returns:
        Name -> weighted scalar; their sum is what is minimised.
    """
    if weights == "sum":
        return dict(losses)
    if weights == "equal":
        return {name: loss / len(losses) for name, loss in losses.items()}
    factors = adaptive_weights(torch.stack(list(losses.values())))
    return {
        name: factor * loss for (name, loss), factor in zip(losses.items(), factors, strict=True)
    }

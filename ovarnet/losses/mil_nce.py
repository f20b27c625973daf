"""Multi-instance NCE between regions and texts, several of which may be right (section 4.4).

R regions, T texts (captions, phrases or words).
"""

from __future__ import annotations

import torch
from torch import Tensor


def mil_nce(
    logits: Tensor, positives: Tensor, unknown: Tensor | None = None, unknown_divisor: float = 1.0
) -> Tensor:
    """-log of the softmax mass on the positive texts, mean over the regions that have one.

    Args:
        logits: (R, T), exp(theta) * cosine; R and T may be 0.
        positives: (R, T) bool.
        unknown: (R, T) bool, texts that are not known to be wrong; None: no such texts.
        unknown_divisor: Their logits are divided by it before the softmax, so that they compete
            less.
    """
    rows = positives.any(dim=1)
    if not rows.any():
        return logits.sum() * 0
    if unknown is not None:
        logits = torch.where(unknown & ~positives, logits / unknown_divisor, logits)
    logits, positives = logits[rows], positives[rows]
    right = logits.masked_fill(~positives, float("-inf")).logsumexp(dim=1)
    return (logits.logsumexp(dim=1) - right).mean()

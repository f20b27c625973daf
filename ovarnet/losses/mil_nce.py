"""Multi-instance NCE between regions and texts, of which several may be right (method section 4.4).

R regions, T texts (captions, phrases or words). Logits are exp(theta) * cosine.
"""

from __future__ import annotations

import torch
from torch import Tensor


def mil_nce(
    logits: Tensor, positives: Tensor, unknown: Tensor | None = None, unknown_divisor: float = 1.0
) -> Tensor:
    """-log of the softmax mass that falls on the positive texts, mean over the regions that have
    one.

    logits: (R, T). positives: (R, T) bool; rows without a positive are left out, and the loss is 0
    (with a gradient of 0) when all are. unknown: (R, T) bool, texts that are not known to be wrong:
    their logits are divided by `unknown_divisor` before the softmax, so that they compete less. R
    and T may be 0.
    """
    rows = positives.any(dim=1)
    if not rows.any():
        return logits.sum() * 0
    if unknown is not None:
        logits = torch.where(unknown & ~positives, logits / unknown_divisor, logits)
    logits, positives = logits[rows], positives[rows]
    right = logits.masked_fill(~positives, float("-inf")).logsumexp(dim=1)
    return (logits.logsumexp(dim=1) - right).mean()

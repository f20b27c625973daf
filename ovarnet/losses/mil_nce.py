"""Multi-instance NCE between regions and texts, of which several may be right (method section 4.4).

R regions, T texts (captions, phrases or words). Logits are exp(theta) * cosine.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus


def mil_nce(logits: Tensor, positives: Tensor, unknown: Tensor | None = None, unknown_divisor: float = 1.0, *,
            every_positive: bool = False) -> Tensor:
    """-log of the softmax mass that falls on the positive texts, mean over the regions that have one.

    logits: (R, T). positives: (R, T) bool; rows without a positive are left out, and the loss is 0 (with a gradient of 0) when all are.
    unknown: (R, T) bool, texts that are not known to be wrong: their logits are divided by `unknown_divisor` before the softmax, so
    that they compete less. R and T may be 0.
    every_positive: each positive has to win against the negatives by itself, and a region's loss is the mean over its positives (the form
    outside the log of supervised contrastive learning, arXiv 2004.11362). In the sum one strong positive is enough, so a word that is
    weak so far learns little where a known one is told beside it.
    """
    rows = positives.any(dim=1)
    if not rows.any():
        return logits.sum() * 0
    if unknown is not None:
        logits = torch.where(unknown & ~positives, logits / unknown_divisor, logits)
    logits, positives = logits[rows], positives[rows]
    if every_positive:
        against = logits.masked_fill(positives, float("-inf")).logsumexp(dim=1, keepdim=True)
        losses = softplus(against - logits).masked_fill(~positives, 0.0)
        return (losses.sum(dim=1) / positives.sum(dim=1)).mean()
    right = logits.masked_fill(~positives, float("-inf")).logsumexp(dim=1)
    return (logits.logsumexp(dim=1) - right).mean()

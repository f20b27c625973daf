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


def bag_nce(logits: Tensor, owner: Tensor, in_bag: Tensor, told: Tensor) -> Tensor:
    """The same loss seen from the words: a word that an image's caption tells has to find a region of that image among all of the batch.

    A bag holds the regions of one image that a told word may be about; -log of the softmax mass that falls on the bag, against the regions
    of the images whose captions do not tell that word. Mean over the bags. Where a caption tells a word of several regions, one that fits
    is enough: the caption does not say which. `mil_nce` compares words within a region; ranking regions by a word, as its AP does, needs
    regions compared within a word.

    logits: (R, W). owner: (R,) int64, the image of each region, in 0..N-1. in_bag: (R, W) bool. told: (N, W) bool, of the captions.
    R and W may be 0; without a bag the loss is 0 (with a gradient of 0).
    """
    mine = owner[None] == torch.arange(len(told), device=owner.device)[:, None]                  # (N, R)
    member = mine[:, :, None] & in_bag & told[:, None]                                           # (N, R, W)
    bags = member.any(dim=1)
    if not bags.any():
        return logits.sum() * 0.0
    inside = logits.masked_fill(~member, float("-inf")).logsumexp(dim=1)[bags]
    outside = logits.masked_fill(told[owner], float("-inf")).logsumexp(dim=0).expand_as(bags)[bags]
    return softplus(outside - inside).mean()

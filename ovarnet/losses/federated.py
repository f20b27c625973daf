"""Losses of step I: each dataset supervises its own label space only (method section 3).

R regions, A attribute words, C category words, W words of either kind. Labels are coded as in
`ovarnet.structures`. Logits are z, before the sigmoid. Every loss is a scalar that is exactly 0,
with a gradient of 0, when there is nothing to judge.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, UNKNOWN

FREQUENCY_POWER = 0.25
UNKNOWN_WEIGHT = 0.2


def frequency_weights(counts: Tensor, power: float = FREQUENCY_POWER) -> Tensor:
    """Weights w ~ counts^-power of the words of ONE vocabulary, of mean 1 over the words that have
    a count.

    counts: (W,), how often each word is labelled in training; 0 for a word without a count, which
    gets weight 1. power 0: all ones. Returns (W,) float32. W may be 0.
    """
    counts = torch.as_tensor(counts, dtype=torch.float32)
    weights = torch.ones_like(counts)
    counted = counts > 0
    if counted.any():
        rarity = counts[counted] ** -power
        weights[counted] = rarity / rarity.mean()
    return weights


def attribute_loss(
    logits: Tensor, labels: Tensor, weights: Tensor, unknown_weight: float = UNKNOWN_WEIGHT
) -> Tensor:
    """Weighted BCE over known labels, plus `unknown_weight` times the plain BCE of the unknown ones
    taken as negatives.

    logits: (R, A). labels: (R, A) of POSITIVE / NEGATIVE / UNKNOWN. weights: (A,). unknown_weight:
    0 ignores unknown labels. The two parts are separate means, over the known and over the unknown
    entries of the batch. R and A may be 0.
    """
    entries = F.binary_cross_entropy_with_logits(
        logits, (labels == POSITIVE).to(logits.dtype), reduction="none"
    )
    known = (labels == POSITIVE) | (labels == NEGATIVE)
    loss = mean_where(entries * weights.to(entries), known)
    if unknown_weight:
        loss = loss + unknown_weight * mean_where(entries, labels == UNKNOWN)
    return loss


def mentioned_loss(
    logits: Tensor, told: Tensor, unmentioned_weight: float = UNKNOWN_WEIGHT
) -> Tensor:
    """BCE of what captions say of regions: told words are positive, all others weak negatives,
    since captions leave out much that is true.

    Not in the paper. A softmax over words (`mil_nce`) compares the words of a region and punishes
    the true but untold ones most, because they score highest; here a word is compared with itself
    in other regions, and the chance to be told grows with that to be true. logits: (R, W). told:
    (R, W) bool. Mean over all entries; 0 when R or W is 0.
    """
    entries = F.binary_cross_entropy_with_logits(logits, told.to(logits.dtype), reduction="none")
    entries = torch.where(told, entries, unmentioned_weight * entries)
    return entries.mean() if entries.numel() else logits.sum() * 0


def category_loss(
    logits: Tensor, categories: Tensor, weights: Tensor, judged: Tensor | None = None
) -> Tensor:
    """Weighted BCE over all columns: a box has one category, all others are negatives.

    logits: (R, C). categories: (R,) column of the positive, or NO_CATEGORY: the row carries no
    label and is left out. weights: (C,). judged: (C,) bool, the columns that count (see
    `sample_categories`); None: all. R and C may be 0.
    """
    columns = torch.arange(logits.shape[1], device=logits.device)
    positive = categories[:, None] == columns
    entries = F.binary_cross_entropy_with_logits(
        logits, positive.to(logits.dtype), reduction="none"
    ) * weights.to(logits)
    counts = (categories != NO_CATEGORY)[:, None].expand_as(entries)
    return mean_where(entries, counts if judged is None else counts & judged)


def sample_categories(
    categories: Tensor, counts: Tensor, number: int, generator: torch.Generator | None = None
) -> Tensor:
    """Which category columns a batch judges when the vocabulary is large: its own categories, and
    others drawn as negatives.

    Others are drawn without replacement, with probability ~ sqrt(count), until `number` columns are
    judged (Detic's federated loss on LVIS); columns without a count are never drawn. categories:
    (R,) as in `category_loss`. counts: (C,). Returns (C,) bool.
    """
    judged = torch.zeros(len(counts), dtype=torch.bool)
    judged[categories[categories != NO_CATEGORY].cpu()] = True
    chances = torch.as_tensor(counts, dtype=torch.float32).cpu().sqrt().masked_fill(judged, 0)
    missing = min(number - int(judged.sum()), int((chances > 0).sum()))
    if missing > 0:
        judged[torch.multinomial(chances, missing, generator=generator)] = True
    return judged.to(categories.device)


def mean_where(values: Tensor, kept: Tensor) -> Tensor:
    """Mean of `values` where `kept`, of the same shape; 0 (with a graph) where nothing is."""
    return (values * kept).sum() / kept.sum().clamp(min=1)

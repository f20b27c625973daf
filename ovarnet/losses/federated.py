"""Losses of step I: each dataset supervises its own label space only (method section 3).

R regions, A attributes, C categories, W words of either kind. Labels are coded as in
`ovarnet.structures`. Logits are z, before the sigmoid.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, UNKNOWN

FREQUENCY_POWER = 0.25
UNKNOWN_WEIGHT = 0.2


def frequency_weights(counts: Tensor, power: float = FREQUENCY_POWER) -> Tensor:
    """Weights ~ counts^-power of the words of ONE vocabulary, with mean 1 over counted words.

    Args:
        counts: (W,), how often each word is labelled in training; a word with count 0 gets weight
            1. W may be 0.
        power: 0: all weights are 1.

    Returns:
        (W,) float32.
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
    """Binary cross-entropy of attributes; unknown labels are weak negatives.

    The loss is the weighted mean over known labels plus `unknown_weight` times the mean over
    unknown ones, taken as negatives without word weights.

    Args:
        logits: (R, A); R and A may be 0.
        labels: (R, A) of POSITIVE / NEGATIVE / UNKNOWN.
        weights: (A,) of the words.
        unknown_weight: 0 ignores unknown labels.
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
    logits: Tensor, is_mentioned: Tensor, unmentioned_weight: float = UNKNOWN_WEIGHT
) -> Tensor:
    """Binary cross-entropy of the words that a caption mentions for a region; not in the paper.

    Mentioned words are positives and all others weak negatives, since captions leave out much that
    is true. A softmax over words (`mil_nce`) compares the words of a region, and punishes the true
    but unmentioned ones most, because they score highest. Here a word is compared with itself in
    other regions, and its chance to be mentioned grows with its chance to be true.

    Args:
        logits: (R, W); R and W may be 0.
        is_mentioned: (R, W) bool.
        unmentioned_weight: Of the weak negatives.

    Returns:
        The mean over all entries.
    """
    entries = F.binary_cross_entropy_with_logits(
        logits, is_mentioned.to(logits.dtype), reduction="none"
    )
    entries = torch.where(is_mentioned, entries, unmentioned_weight * entries)
    return entries.mean() if entries.numel() else logits.sum() * 0


def category_loss(
    logits: Tensor, categories: Tensor, weights: Tensor, columns: Tensor | None = None
) -> Tensor:
    """Weighted binary cross-entropy of categories: a box has one, all others are negatives.

    Args:
        logits: (R, C); R and C may be 0.
        categories: (R,) column of the positive; rows with NO_CATEGORY are left out.
        weights: (C,) of the words.
        columns: (C,) bool, the categories in the loss, as from `sample_categories`; None: all.
    """
    is_positive = categories[:, None] == torch.arange(logits.shape[1], device=logits.device)
    entries = F.binary_cross_entropy_with_logits(
        logits, is_positive.to(logits.dtype), reduction="none"
    )
    is_supervised = (categories != NO_CATEGORY)[:, None].expand_as(entries)
    if columns is not None:
        is_supervised = is_supervised & columns
    return mean_where(entries * weights.to(logits), is_supervised)


def sample_categories(
    categories: Tensor, counts: Tensor, number: int, generator: torch.Generator | None = None
) -> Tensor:
    """Draw the category columns in the loss of a batch, for large vocabularies.

    The batch's own categories are always among them. Negatives are drawn without replacement, with
    probability ~ sqrt(count), until there are `number` columns (Detic's federated loss on LVIS).

    Args:
        categories: (R,) as in `category_loss`.
        counts: (C,); columns without a count are never drawn.
        number: Columns in the loss; more if the batch has more categories.
        generator: Draws the negatives.

    Returns:
        (C,) bool.
    """
    sampled = torch.zeros(len(counts), dtype=torch.bool)
    sampled[categories[categories != NO_CATEGORY].cpu()] = True
    chances = torch.as_tensor(counts, dtype=torch.float32).cpu().sqrt().masked_fill(sampled, 0)
    missing = min(number - int(sampled.sum()), int((chances > 0).sum()))
    if missing > 0:
        sampled[torch.multinomial(chances, missing, generator=generator)] = True
    return sampled.to(categories.device)


def mean_where(values: Tensor, kept: Tensor) -> Tensor:
    """Mean of the values where `kept`, of the same shape; 0 (with a graph) where nothing is."""
    return (values * kept).sum() / kept.sum().clamp(min=1)

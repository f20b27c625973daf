"""Symmetric InfoNCE in which pairs that also belong together are no negatives.

N photos with their texts, D the joint embedding width.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def contrastive_loss(images: Tensor, texts: Tensor, same: Tensor, scale: Tensor) -> Tensor:
    """The mean of two cross-entropies: photo -> its text, and text -> its photo.

    Args:
        images: (N, D) unit vectors.
        texts: (N, D) unit vectors; row i belongs to photo i.
        same: (N, N) bool: photo i and text j belong to one group of products or are equal; left out
            of the negatives. The diagonal is ignored.
        scale: Factor of the cosines, a scalar.

    Returns:
        A scalar.
    """
    logits = scale * images @ texts.T
    own = torch.arange(len(logits), device=logits.device)
    no_negative = same & ~torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    logits = logits.masked_fill(no_negative, -torch.inf)
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2

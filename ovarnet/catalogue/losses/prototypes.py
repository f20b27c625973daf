"""Prototype supervision: a product against the concepts that it mentions and all others.

The e-commerce CLIP of EasyNLP names prototypes of concepts in a feature queue, in one sentence;
this is our reading of it. N photos or texts, C concepts, D the joint embedding width.
"""

from __future__ import annotations

import torch
from torch import Tensor


def prototype_loss(
    vectors: Tensor, prototypes: Tensor, mentioned: Tensor, usable: Tensor, scale: Tensor
) -> Tensor:
    """Each mentioned concept against the concepts that are not mentioned.

    -1/|C_i| sum over c in C_i of log(e^{s v.p_c} / (e^{s v.p_c} + sum over c' not in C_i)),
    averaged over the vectors that mention a usable concept. Concepts of one product are no
    negatives of each other.

    Args:
        vectors: (N, D) unit vectors of one modality.
        prototypes: (C, D) unit vectors of the other modality, without gradient.
        mentioned: (N, C) bool.
        usable: (C,) bool, concepts that have a prototype.
        scale: Factor of the cosines, a scalar.

    Returns:
        A scalar; 0, with a graph, where no vector mentions a usable concept.
    """
    positive = mentioned & usable
    counts = positive.sum(dim=1)
    if not counts.any():
        return vectors.sum() * 0
    logits = scale * vectors @ prototypes.T
    others = logits.masked_fill(mentioned | ~usable, -torch.inf).logsumexp(dim=1, keepdim=True)
    losses = torch.logaddexp(logits, others) - logits
    per_vector = losses.masked_fill(~positive, 0).sum(dim=1) / counts.clamp(min=1)
    return per_vector.sum() / (counts > 0).sum()

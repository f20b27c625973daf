"""How near a word can come to any region of a photo CLIP; ours, not the paper's.

The first half of such a CLIP's embedding is a mean of its concepts' names, so a word that is no
concept cannot reach the cosine of one that is: "puppy" has 0.8 with "dog", and on the same dogs it
scores too low for any threshold of "dog". Divided by what it can reach, its cosines are on the
scale of theirs, so that one calibration and one threshold serve both.

S strings, K concepts, D the joint embedding width.
"""

from __future__ import annotations

import torch
from torch import Tensor

LEAST = 0.7
"""Words farther from every concept count as if they were this near: that they are found nowhere is
more likely than that a faint likeness is one. Chosen on validation photos (docs/photos.md)."""


@torch.no_grad()
def concept_reach(words: Tensor, concepts: Tensor) -> Tensor:
    """The largest cosine of each word with a concept, `LEAST` at least.

    Args:
        words: (S, D) float32 unit embeddings; S may be 0.
        concepts: (K, D) float32 unit embeddings; rows of zeros stand for no concept.

    Returns:
        (S, 1) float32, at most 1 but for rounding.
    """
    return (words @ concepts.T).amax(dim=1, keepdim=True).clamp(min=LEAST)

"""Re-ranking of what a search found by a matcher, which reads title and photo together.

K products that were found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ovarnet.catalogue.search.index import Hit

if TYPE_CHECKING:
    from ovarnet.catalogue.matcher import Matcher

CANDIDATES = 100
"""Best products of the search that the matcher reads."""


def rerank(matcher: Matcher, phrase: str, hits: Sequence[Hit], scale: float) -> list[Hit]:
    """Sort products by how well both the CLIP and the matcher think they fit a phrase.

    Args:
        matcher: Trained.
        phrase: Takes the place of the title.
        hits: K products with the cosines of the search.
        scale: Factor of a cosine in the CLIP's softmax, the inverse of its temperature.

    Returns:
        Best first; the score is that of `fused_scores`.

    Raises:
        InputError: A photo cannot be read.
    """
    if not hits:
        return []
    matched = matcher.score([phrase] * len(hits), [hit.product.image for hit in hits])
    scores = fused_scores(torch.tensor([hit.score for hit in hits]), matched, scale)
    order = scores.argsort(descending=True, stable=True).tolist()
    return [replace(hits[place], score=float(scores[place])) for place in order]


def fused_scores(cosines: Tensor, matched: Tensor, scale: float) -> Tensor:
    """The geometric mean of the CLIP's softmax over the candidates and the matcher's probability.

    Args:
        cosines: (..., K) of the phrase and the photos.
        matched: (..., K) probabilities.
        scale: Of the cosines.

    Returns:
        (..., K) in [0, 1].
    """
    return ((scale * cosines).softmax(dim=-1) * matched).sqrt()

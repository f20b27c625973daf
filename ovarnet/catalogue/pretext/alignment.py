"""Attention-based alignment: which patches show which word of a title (Kaleido-BERT 3.3).

G generated words, h x w cells of their attention maps, which cover the box that the patches tile.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from ovarnet.captions.inflection import singular
from ovarnet.catalogue.modeling.patches import KALEIDO_LEVELS, PatchLayout
from ovarnet.catalogue.pretext.masking import Pair

ALIGNED_LEVELS = (2, 3, 4)
"""3 x 3, 4 x 4 and 5 x 5 patches."""
FINE = 60
"""Maps are up-sampled to 60 x 60 points, which the patches of all these levels divide evenly."""
LEAST_SHARE = 1.2
"""A patch is aligned if its attention is so many times that of an even map."""
STOP_WORDS = frozenset(
    {"a", "an", "the", "and", "or", "of", "in", "on", "at", "for", "with", "to", "from", "by"}
    | {"as", "is", "are", "this", "that", "it", "its", "no", "not"}
)


def align_words(title: Sequence[str], generated: Sequence[str], maps: Tensor) -> list[Pair]:
    """Pair the words of a title with patches, by the attention of a captioner.

    A generated word counts if it stands in the title too; every copy of it there is paired with
    the best patch of each level.

    Args:
        title: Words of the title.
        generated: G words.
        maps: (G, h, w), each with sum 1.

    Returns:
        Sorted pairs of a word of the title, by position, and a patch of Kaleido-BERT's layout.
    """
    places: dict[str, list[int]] = {}
    for position, word in enumerate(title):
        if is_content_word(word):
            places.setdefault(_base(word), []).append(position)
    shared = [index for index, word in enumerate(generated) if _base(word) in places]
    if not shared:
        return []
    patches = best_patches(maps[shared])
    return sorted(
        {
            (position, patch)
            for index, found in zip(shared, patches, strict=True)
            for position in places[_base(generated[index])]
            for patch in found
        }
    )


def best_patches(maps: Tensor) -> list[list[int]]:
    """The patch of each level with the highest mean attention, where that is high enough.

    Args:
        maps: (G, h, w), each with sum 1.

    Returns:
        For each map at most one patch of each level 3 x 3, 4 x 4 and 5 x 5.
    """
    even = 1 / maps[0].numel()
    layout = PatchLayout(KALEIDO_LEVELS)
    fine = F.interpolate(maps[:, None], (FINE, FINE), mode="bilinear")
    found: list[list[int]] = [[] for _ in maps]
    for level in ALIGNED_LEVELS:
        side, first = layout.levels[level], layout.slices[level].start
        scores = F.adaptive_avg_pool2d(fine, side).flatten(1)
        for patches, row in zip(found, scores, strict=True):
            best = int(row.argmax())
            if row[best] >= LEAST_SHARE * even:
                patches.append(first + best)
    return found


def is_content_word(word: str) -> bool:
    """Whether a word may be aligned: letters, and no stop word."""
    return word.isalpha() and word.lower() not in STOP_WORDS


def coverage(titles: Sequence[Sequence[str]], pairs: Sequence[Sequence[Pair]]) -> float:
    """Share of the content words of all titles that are in a pair; 0 without such words."""
    content = [
        (row, position)
        for row, title in enumerate(titles)
        for position, word in enumerate(title)
        if is_content_word(word)
    ]
    paired = {(row, word) for row, found in enumerate(pairs) for word, _ in found}
    return sum(place in paired for place in content) / len(content) if content else 0.0


def _base(word: str) -> str:
    return singular(word.lower())

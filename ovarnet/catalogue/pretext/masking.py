"""Which words and patches are masked: whole words, and alignment-guided masking (Kaleido-BERT 3.4).

T tokens of a title, P patches of a photo.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ovarnet.catalogue.modeling.patches import PatchLayout
from ovarnet.catalogue.modeling.wordpiece import TitleTokens, WordPiece

TOKEN_SHARE, MOST_TOKENS = 0.15, 10
MASK_SHARE, RANDOM_SHARE = 0.8, 0.1
"""Of the tokens that are predicted; the rest stays as it is."""
NOT_PREDICTED = -100
"""The target that cross entropy ignores."""

Pair = tuple[int, int]
"""An aligned word of a title and patch of its photo."""


@dataclass(frozen=True)
class Masks:
    """What is masked in one product.

    Attributes:
        words: Words of the title, sorted.
        patches: Patches of the photo, sorted.
    """

    words: list[int]
    patches: list[int]


def token_budget(tokens: int) -> int:
    """How many of the tokens of a text, special ones included, are predicted at most."""
    return min(MOST_TOKENS, max(1, round(TOKEN_SHARE * tokens)))


def guided_masks(
    spans: Mapping[int, Sequence[int]],
    pairs: Sequence[Pair],
    layout: PatchLayout,
    patch_budgets: Mapping[int, int],
    budget: int,
    rng: random.Random,
) -> Masks:
    """Alignment-guided masking: of a word and a patch aligned to it, at most one is masked.

    Aligned pairs come first, in random order; a coin decides which side is masked. What the budgets
    leave over is drawn from words and patches without a partner. Without pairs this is plain random
    masking of whole words and patches.

    Args:
        spans: Word -> positions of its tokens.
        pairs: Aligned words and patches; pairs of other levels are ignored.
        layout: Of the patches.
        patch_budgets: Level -> number of its patches to mask.
        budget: Most tokens to mask. Where every word is longer, the shortest one is masked.
        rng: Draws.
    """
    level_of = layout.level_of.tolist()
    kept = [
        (word, patch) for word, patch in pairs if word in spans and level_of[patch] in patch_budgets
    ]
    state = _Masking(spans, kept, level_of, dict(patch_budgets), budget)
    for word, patch in rng.sample(kept, len(kept)):
        if word in state.words or patch in state.patches:
            continue
        if rng.random() < 0.5:
            _ = state.mask_word(word) or state.mask_patch(patch)
        else:
            _ = state.mask_patch(patch) or state.mask_word(word)

    aligned_words = {word for word, _ in kept}
    aligned_patches = {patch for _, patch in kept}
    free_words = [word for word in spans if word not in aligned_words]
    for word in rng.sample(free_words, len(free_words)):
        state.mask_word(word)
    if spans and min(map(len, spans.values())) > budget:
        state.mask_shortest_word()

    patches = list(range(layout.count))
    order = rng.sample(patches, len(patches))
    # patches with a partner only where those without are too few for the budget
    for patch in sorted(order, key=lambda patch: patch in aligned_patches):
        state.mask_patch(patch)
    return Masks(sorted(state.words), sorted(state.patches))


class _Masking:
    """Masks so far and what is left of the budgets."""

    def __init__(
        self,
        spans: Mapping[int, Sequence[int]],
        pairs: Sequence[Pair],
        level_of: list[int],
        patches_left: dict[int, int],
        tokens_left: int,
    ):
        self.spans, self.level_of = spans, level_of
        self.patches_left, self.tokens_left = patches_left, tokens_left
        self.words: set[int] = set()
        self.patches: set[int] = set()
        self.patches_of: dict[int, set[int]] = {}
        self.words_of: dict[int, set[int]] = {}
        for word, patch in pairs:
            self.patches_of.setdefault(word, set()).add(patch)
            self.words_of.setdefault(patch, set()).add(word)

    def mask_word(self, word: int) -> bool:
        """Mask a word if the budget allows and no patch aligned to it is masked."""
        length = len(self.spans[word])
        if length > self.tokens_left or self.patches_of.get(word, set()) & self.patches:
            return False
        self.words.add(word)
        self.tokens_left -= length
        return True

    def mask_shortest_word(self) -> None:
        """Mask the shortest word, whatever the budget, of those without a masked patch."""
        allowed = [w for w in self.spans if not self.patches_of.get(w, set()) & self.patches]
        if allowed:
            self.words.add(min(allowed, key=lambda word: len(self.spans[word])))

    def mask_patch(self, patch: int) -> bool:
        """Mask a patch if the budget of its level allows and no word aligned to it is masked."""
        level = self.level_of[patch]
        if (
            patch in self.patches
            or not self.patches_left.get(level)
            or self.words_of.get(patch, set()) & self.words
        ):
            return False
        self.patches.add(patch)
        self.patches_left[level] -= 1
        return True


def mask_tokens(
    tokens: TitleTokens, words: Sequence[int], tokenizer: WordPiece, rng: random.Random
) -> tuple[list[int], list[int]]:
    """Replace the tokens of some words: 80 % by [MASK], 10 % by a random one, 10 % stay.

    Args:
        tokens: Of a title.
        words: Which words.
        tokenizer: Names the mask and draws random tokens.
        rng: Draws.

    Returns:
        T token ids to read and T targets, `NOT_PREDICTED` where nothing was masked.
    """
    ids, targets = list(tokens.ids), [NOT_PREDICTED] * len(tokens.ids)
    chosen = set(words)
    for position, word in enumerate(tokens.words):
        if word not in chosen:
            continue
        targets[position] = tokens.ids[position]
        draw = rng.random()
        if draw < MASK_SHARE:
            ids[position] = tokenizer.mask
        elif draw < MASK_SHARE + RANDOM_SHARE:
            ids[position] = _random_token(tokenizer, rng)
    return ids, targets


def _random_token(tokenizer: WordPiece, rng: random.Random) -> int:
    while True:
        drawn = rng.randrange(tokenizer.size)
        if drawn not in tokenizer.special:
            return drawn

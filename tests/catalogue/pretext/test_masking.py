"""Budgets and the one rule of alignment-guided masking, over many random titles."""

import random

import pytest

from ovarnet.catalogue.modeling.patches import KALEIDO_LEVELS, PatchLayout
from ovarnet.catalogue.modeling.wordpiece import WordPiece
from ovarnet.catalogue.pretext.masking import (
    NOT_PREDICTED,
    guided_masks,
    mask_tokens,
    token_budget,
)

KALEIDO, BUDGETS = PatchLayout(KALEIDO_LEVELS), {2: 1, 3: 2, 4: 3}
LEVEL_OF = KALEIDO.level_of.tolist()


@pytest.mark.parametrize(("tokens", "budget"), [(2, 1), (3, 1), (10, 2), (20, 3), (64, 10)])
def test_fifteen_percent_of_the_tokens_one_to_ten(tokens, budget):
    assert token_budget(tokens) == budget


def random_title(rng):
    """Spans of words of one to three tokens, and pairs of a level-wise alignment."""
    spans, position = {}, 1
    for word in range(rng.randint(1, 12)):
        length = rng.choice([1, 1, 2, 3])
        spans[word] = list(range(position, position + length))
        position += length
    pairs = [
        (word, rng.randrange(KALEIDO.slices[level].start, KALEIDO.slices[level].stop))
        for word in spans
        for level in (2, 3, 4)
        if rng.random() < 0.4
    ]
    return spans, pairs, token_budget(position + 1)


def test_guided_masking_of_a_thousand_titles():
    rng = random.Random(0)
    for _ in range(1000):
        spans, pairs, budget = random_title(rng)
        masks = guided_masks(spans, pairs, KALEIDO, BUDGETS, budget, rng)
        levels = [LEVEL_OF[patch] for patch in masks.patches]
        assert {level: levels.count(level) for level in set(levels)} == BUDGETS
        masked = sum(len(spans[word]) for word in masks.words)
        is_short = min(map(len, spans.values())) <= budget
        assert masked <= budget if is_short else len(masks.words) <= 1
        words, patches = set(masks.words), set(masks.patches)
        assert not any(word in words and patch in patches for word, patch in pairs)
        # a patch without a partner is taken only when no pair of its level could give one
        free = patches - {patch for _, patch in pairs}
        for patch in free:
            level = LEVEL_OF[patch]
            unused = [
                (word, other)
                for word, other in pairs
                if LEVEL_OF[other] == level
                and word not in words
                and other not in patches
                and not any(word2 in words and patch2 == other for word2, patch2 in pairs)
            ]
            assert not unused


def test_both_sides_of_a_pair_are_masked_equally_often():
    rng = random.Random(1)
    sides = [
        bool(guided_masks({0: [1]}, [(0, 7)], KALEIDO, {2: 1}, 1, rng).words) for _ in range(2000)
    ]
    assert 0.45 < sum(sides) / len(sides) < 0.55


def test_without_pairs_words_and_patches_are_independent():
    rng = random.Random(2)
    grid = PatchLayout((8,))
    masks = guided_masks({0: [1], 1: [2, 3, 4]}, [], grid, {0: 6}, 1, rng)
    assert masks.words == [0]
    assert len(masks.patches) == 6
    assert guided_masks({0: [1, 2, 3]}, [], grid, {}, 1, rng).words == [0]
    assert guided_masks({}, [], grid, {0: 6}, 1, rng).words == []


def test_masked_tokens_are_predicted_and_eight_of_ten_are_hidden():
    tokenizer = WordPiece.train(["red mug", "blue shoes", "green belt"] * 3)
    tokens = tokenizer.encode("red mug", None, 16)
    rng = random.Random(0)
    seen = [mask_tokens(tokens, [1], tokenizer, rng) for _ in range(3000)]
    original = tokens.ids[2]
    for ids, targets in seen:
        assert targets == [NOT_PREDICTED, NOT_PREDICTED, original, NOT_PREDICTED]
        assert ids[:2] + ids[3:] == tokens.ids[:2] + tokens.ids[3:]
    read = [ids[2] for ids, _ in seen]
    assert read.count(tokenizer.mask) / 3000 == pytest.approx(0.8, abs=0.03)
    drawn = [token for token in read if token not in (tokenizer.mask, original)]
    assert len(drawn) / 3000 == pytest.approx(0.1, abs=0.03)
    assert not set(drawn) & tokenizer.special

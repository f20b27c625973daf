"""Attention maps to pairs of words and patches, by hand."""

import pytest
import torch

from ovarnet.catalogue.pretext.alignment import (
    align_words,
    best_patches,
    coverage,
    is_content_word,
)


def spot(row, column, size=8):
    """All attention on one cell."""
    map_ = torch.zeros(size, size)
    map_[row, column] = 1
    return map_


def test_the_patch_under_the_attention_of_every_level():
    top_left, bottom_right, even = best_patches(
        torch.stack([spot(0, 0), spot(7, 7), torch.full((8, 8), 1 / 64)])
    )
    assert top_left == [5, 14, 30]
    assert bottom_right == [13, 29, 54]
    assert even == []


def test_words_of_both_texts_are_paired_whatever_case_and_number():
    maps = torch.stack([spot(0, 0), spot(7, 7), spot(0, 7)])
    pairs = align_words(["Red", "mugs", "with", "red", "dots"], ["red", "mug", "with"], maps)
    assert pairs == [
        (0, 5),
        (0, 14),
        (0, 30),
        (1, 13),
        (1, 29),
        (1, 54),
        (3, 5),
        (3, 14),
        (3, 30),
    ]
    assert align_words(["blue"], ["red", "mug", "with"], maps) == []


def test_coverage_counts_content_words():
    assert [is_content_word(word) for word in ("with", "7", "mug")] == [False, False, True]
    titles = [["red", "mug", "with", "7", "dots"], ["blue"]]
    assert coverage(titles, [[(0, 5), (0, 14)], []]) == pytest.approx(1 / 4)
    assert coverage([["7"]], [[]]) == 0

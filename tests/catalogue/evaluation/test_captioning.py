"""Scores of written titles: by hand, and as pycocoevalcap 1.2 gives them for the same words."""

import math

import pytest

from ovarnet.catalogue.evaluation.captioning import bleu, cider, common_subsequence, rouge_l, words

WRITTEN = [
    "red striped mug by arvo",
    "blue mug",
    "new green shiny plate belmo with a lid",
    "black belt",
    "a cup",
]
RIGHT = [
    ["red striped mug arvo", "a red mug with stripes"],
    ["dark blue mug"],
    ["new green plate belmo with a lid", "green plate"],
    ["black leather belt corin", "black belt"],
    ["white bowl"],
]


def test_as_the_reference_tool():
    assert bleu(WRITTEN, RIGHT) == pytest.approx(0.5038489899, abs=1e-9)
    assert rouge_l(WRITTEN, RIGHT) == pytest.approx(0.724781072249385, abs=1e-12)
    assert cider(WRITTEN, RIGHT) == pytest.approx(2.68554899374772, abs=1e-12)


def test_a_right_title_has_full_marks():
    exact = [truths[0] for truths in RIGHT]
    assert bleu(exact, RIGHT) == 1
    assert rouge_l(exact, RIGHT) == pytest.approx(1)
    two = ["a red mug on a tray", "the blue plate of clay"]
    assert cider(two, [[title] for title in two]) == pytest.approx(10)


def test_bleu_counts_a_repeated_word_once_and_punishes_short_titles():
    assert bleu(["mug mug mug mug"], [["a mug on a tray"]]) == 0
    # all n-grams of four words are right; the reference has five
    assert bleu(["a mug on a"], [["a mug on a tray"]]) == pytest.approx(math.exp(1 - 5 / 4))


def test_rouge_is_f_of_the_longest_common_subsequence():
    assert common_subsequence(["a", "red", "old", "mug"], ["red", "mug", "a"]) == 2
    # 2 of 4 words said, 2 of 2 words found
    precision, recall, weight = 0.5, 1.0, 1.44
    expected = (1 + weight) * precision * recall / (recall + weight * precision)
    assert rouge_l(["a red old mug"], [["red mug"]]) == pytest.approx(expected)


def test_a_title_without_a_word_scores_nothing():
    assert (bleu([""], [["mug"]]), rouge_l([""], [["mug"]])) == (0, 0)
    assert cider(["", "mug"], [["mug"], ["red plate"]]) == 0


def test_words_are_lower_case_without_punctuation():
    assert words("Red mug, by Arvo!") == ["red", "mug", "by", "arvo"]

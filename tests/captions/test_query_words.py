"""The lists that a phrase is read by."""

from ovarnet.captions import query_words
from ovarnet.captions.lexicon import COLORS, kind_of
from ovarnet.captions.query_words import (
    APPEARANCE,
    COLORED_THINGS,
    FIXED_PAIRS,
    GROUPS,
    NEGATIVE_PREFIXES,
    POSITIONS,
    PREFIXES,
)


def test_all_words_are_lower_case():
    for name, words in vars(query_words).items():
        if isinstance(words, frozenset) and words is not FIXED_PAIRS:
            assert all(word == word.lower().strip() for word in words), name


def test_words_of_several_parts_have_spaces():
    assert {"polka dot", "stainless steel"} <= set(APPEARANCE)
    assert not any("_" in word for word in APPEARANCE)


def test_colored_things_are_colors():
    assert COLORED_THINGS - {"rose"} <= COLORS


def test_positions_are_no_nouns_to_the_grammar():
    assert {kind_of(word) for word in POSITIONS} <= {"A", "R", "#"}


def test_groups_are_nouns_or_numbers_to_the_grammar():
    assert {kind_of(word) for word in GROUPS} <= {"n", "v", "s"}


def test_one_prefix_denies_before_a_space():
    assert {"non"} == NEGATIVE_PREFIXES & PREFIXES

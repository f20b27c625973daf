"""Words of drawn products: attributes differ within a subcategory, titles say true things."""

from collections import Counter

import pytest

from ovarnet.scenes.catalogue.words import (
    BRANDS,
    MENTIONED,
    UNSAID,
    combinations,
    product_words,
    split_of,
)
from ovarnet.scenes.world.words import ATTRIBUTES, CATEGORIES


def test_combinations_are_all_there_are():
    assert len(combinations()) == len(set(combinations())) == 11 * 5 * 5 * 2 * 5


def test_no_two_products_of_a_subcategory_have_the_same_attributes():
    mugs = [product_words(0, 19 + 40 * n) for n in range(100)]
    assert {words.category.name for words in mugs} == {"mug"}
    assert len({tuple(words.labels.values()) for words in mugs}) == 100


def test_titles_and_queries_say_only_what_is_true():
    every = {word for words in ATTRIBUTES.values() for word in words}
    for index in range(200):
        words = product_words(0, index)
        true = set(words.labels.values()) - set(UNSAID)
        for text in (words.title, words.query):
            said = {word for word in every if f" {word} " in f" {text.lower().replace(',', ' ')} "}
            assert said <= true
            assert words.category.name in text.lower()
        assert words.query != words.category.name or not true


@pytest.mark.slow
def test_mentions_and_brands_have_their_rates():
    words = [product_words(0, index) for index in range(4000)]
    colours = sum(item.labels["color"] in item.title.lower() for item in words)
    assert abs(colours / 4000 - MENTIONED["color"]) < 0.02
    assert abs(sum(any(b in item.title for b in BRANDS) for item in words) / 4000 - 0.5) < 0.03


def test_a_full_size_catalogue_has_110_test_products_of_every_subcategory():
    splits = Counter((split_of(index, 7640), index % len(CATEGORIES)) for index in range(7640))
    assert {splits["test", kind] for kind in range(40)} == {110}
    assert {splits["val", kind] for kind in range(40)} == {6}
    assert {splits["train", kind] for kind in range(40)} == {75}

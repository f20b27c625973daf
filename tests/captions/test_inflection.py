"""Plurals, singulars and spellings of words that a vocabulary or a caption may hold."""

import pytest

from ovarnet.captions.inflection import is_plural, plural, singular, surface_forms

PLURALS = """
    mug mugs, knife knives, leaf leaves, glove gloves, wave waves, horse horses, house houses, vase
    vases, bus buses, box boxes, bench benches, brush brushes, baby babies, boy boys, toy toys, shoe
    shoes, potato potatoes, man men, woman women, fireman firemen, child children, person people,
    foot feet, tie ties, cookie cookies, couch couches, surfboard surfboards, dress dresses, scarf
    scarves, sheep sheep, scissors scissors, jeans jeans
"""


@pytest.mark.parametrize(("one", "many"), [pair.split() for pair in PLURALS.split(",")])
def test_both_ways(one, many):
    assert plural(one) == many
    assert singular(many) == one
    assert singular(one) == one


def test_glasses_are_worn():
    """A word by itself; the vocabulary's "wine glass" still has its plural."""
    assert singular("glasses") == "glasses"
    assert plural("glass") == "glasses"


@pytest.mark.parametrize(
    "word", ["grass", "tennis", "bus", "octopus", "dog", "is", "as", "gas", "jeans"]
)
def test_no_plurals(word):
    assert not is_plural(word)


def test_surface_forms():
    assert surface_forms("Dark_Gray", with_plural=False) == {
        "dark gray",
        "dark grey",
        "dark-gray",
        "dark-grey",
    }
    assert surface_forms("hair drier", with_plural=True) == {
        f"hair{gap}{word}" for gap in " -" for word in ("drier", "driers", "dryer")
    }
    assert surface_forms("knife", with_plural=True) == {"knife", "knives"}
    assert surface_forms("multi-coloured", with_plural=False) == {
        "multi-coloured",
        "multi coloured",
        "multi-colored",
        "multi colored",
    }

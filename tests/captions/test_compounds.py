"""Several words of a phrase that are one, without any vocabulary and with one."""

import pytest

from ovarnet.captions.compounds import find_compounds
from ovarnet.captions.matcher import Term
from ovarnet.captions.pipelines import blank_english


def compounds(text, *terms):
    return find_compounds(blank_english()(text), list(terms))


ADJECTIVES = [
    ("semi-transparent bag", "semi-transparent"),
    ("semi transparent bag", "semi transparent"),
    ("brand-new bike", "brand-new"),
    ("brand new bike", "brand new"),
    ("off-white mug", "off-white"),
    ("off white mug", "off white"),
    ("tri-colored dog", "tri-colored"),
    ("long-haired dog", "long-haired"),
    ("long haired dog", "long haired"),
    ("half-eaten pizza", "half-eaten"),
    ("red-brick house", "red-brick"),
    ("two-story house", "two-story"),
    ("two story house", "two story"),
    ("3-legged stool", "3-legged"),
    ("2-door car", "2-door"),
    ("see-through bag", "see-through"),
    ("knee-length skirt", "knee-length"),
    ("five-year-old boy", "five-year-old"),
    ("medium sized dog", "medium sized"),
    ("sky-blue dress", "sky-blue"),
    ("sky blue dress", "sky blue"),
    ("light sky blue dress", "light sky blue"),
    ("light blue colored car", "light blue"),
    ("brown-colored dog", "brown"),
    ("brown colored dog", "brown"),
    ("old-looking car", "old"),
    ("light-colored dog", "light-colored"),
    ("left-most car", "left-most"),
    ("top-left window", "top-left"),
    ("semi–transparent bag", "semi–transparent"),
    ("extra large pizza", "extra large"),
]


@pytest.mark.parametrize(("text", "name"), ADJECTIVES)
def test_an_adjective(text, name):
    found = compounds(text)
    assert list(found.names.values()) == [name]
    (term,) = found.terms
    assert term.start == 0
    assert term.attributes == (name,)
    assert found.denied == set()


@pytest.mark.parametrize(
    "text", ["t-shirt", "x-ray machine", "e-bike", "mother-in-law", "non-smoker", "a high-rise"]
)
def test_a_noun(text):
    (term,) = compounds(text).terms
    assert term.attributes == ()


@pytest.mark.parametrize(
    ("text", "name", "last"),
    [
        ("non-red mug", "non-red", 2),
        ("non red mug", "non red", 1),
        ("not-red mug", "not-red", 2),
        ("nonmetallic spoon", "nonmetallic", 0),
    ],
)
def test_what_is_denied(text, name, last):
    found = compounds(text)
    assert list(found.names.values()) == [name]
    assert found.denied == {last}


@pytest.mark.parametrize(
    "text",
    [
        "a red mug",
        "red-and-white flag",
        "two fire hydrants",
        "the child headed home",
        "light mug",
        "super mug",
        "- - -",
        "a -- b",
        "nonstop music",
    ],
)
def test_no_compound(text):
    found = compounds(text)
    assert found == ([], {}, set())


def test_what_the_vocabulary_knows_as_a_whole_stays():
    known = Term(0, 3, None, ("non-red",))
    assert compounds("non-red mug", known) == ([known], {}, set())


def test_terms_inside_a_compound_go():
    found = compounds("semi-red mug", Term(2, 3, None, ("red",)), Term(3, 4, "mug", ()))
    assert found.terms == [Term(0, 3, None, ("semi-red",)), Term(3, 4, "mug", ())]

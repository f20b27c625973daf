"""Where category and attributes stand in a phrase."""

import pytest

from ovarnet.captions.grammar import relations_by_rules
from ovarnet.captions.matcher import Term
from ovarnet.captions.query_spans import add_unlisted_attributes, find_spans


def spans(text, *attributes):
    """The noun and the attributes, as words."""
    words = text.split()
    terms = [Term(i, i + 1, None, (word,)) for i, word in enumerate(words) if word in attributes]
    noun, found = find_spans(words, terms, relations_by_rules(words, terms))
    return noun and " ".join(words[slice(*noun)]), [" ".join(words[slice(*span)]) for span in found]


@pytest.mark.parametrize(
    ("text", "noun", "attributes"),
    [
        ("a small red mug", "mug", ["small", "red"]),
        ("two red fire hydrants", "fire hydrants", ["red"]),
        ("a brick wall", "wall", ["brick"]),
        ("a boy 's red hat", "hat", ["red"]),
        ("a mug that is red", "mug", ["red"]),
        ("a mug near a red car", "mug", []),
        ("a pair of red shoes", "shoes", ["red"]),
        ("a new pair of shoes", "shoes", ["new"]),
        ("a small group of people", "people", []),
        ("a red pair", "pair", ["red"]),
        ("not a dog but a red cat", "cat", ["red"]),
        ("something red", None, ["red"]),
        ("no red mug", None, []),
    ],
)
def test_spans(text, noun, attributes):
    assert spans(text, "small", "red", "brick") == (noun, attributes)


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("a mug that is puce", ["puce"]),
        ("a dog running in the park", ["running"]),
        ("a dog wearing a hat", []),
        ("a dog running wild", []),
        ("a puce mug", []),
    ],
)
def test_unlisted_attributes(text, added):
    words = text.split()
    assert [words[term.start] for term in add_unlisted_attributes(words, [])] == added


def test_known_terms_are_kept():
    known = [Term(4, 5, None, ("puce",))]
    assert add_unlisted_attributes(["a", "mug", "that", "is", "puce"], known) == known

"""Single noun phrases, as letters and words."""

import pytest

from ovarnet.captions.noun_phrase import NounPhraseReader
from ovarnet.captions.units import as_units


def read(text, start=0, before="", verbs=""):
    units = as_units(text.split(), [])
    return NounPhraseReader(units.kinds, units.words).read(start, before, verbs)


@pytest.mark.parametrize(
    ("text", "head", "modifiers", "end"),
    [
        ("a small wet dog in", 3, [1, 2], 4),
        ("wet and muddy dog", 3, [0, 2], 4),
        ("a big , wet dog", 4, [1, 3], 5),
        ("the dog is", 1, [], 2),
        ("brand - new bike", 3, [0, 2], 4),
        ("a well - dressed man", 4, [1, 3], 5),
        ("three - legged dog", 3, [0, 2], 4),
        ("a horse - drawn carriage", 4, [1, 3], 5),
        ("freshly baked bread", 2, [1], 3),
        ("a golden one", None, [1], 3),
        ("wet and cold", None, [0, 2], 3),
        ("two water slides", 2, [1], 3),
        ("a dog slides", 1, [], 2),
        ("tug - of - war", 4, [0], 5),
    ],
)
def test_phrase(text, head, modifiers, end):
    phrase = read(text)
    assert (phrase.head, phrase.modifiers, phrase.end) == (head, modifiers, end)
    assert not phrase.is_empty


def test_the_first_unit_is_after_article_and_numbers():
    phrase = read("the two wet dogs")
    assert (phrase.start, phrase.first, phrase.determiner) == (0, 2, "two")


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("not wet dog", {1}),
        ("a not wet or muddy dog", {2, 4}),
        ("a not wet but muddy dog", {2}),
        ("a wet , not muddy , dog", {4}),
    ],
)
def test_denied_modifiers(text, denied):
    phrase = read(text)
    assert phrase.denied == denied
    assert phrase.head == len(text.split()) - 1


@pytest.mark.parametrize(
    ("text", "start", "end"), [("not not the dog", 0, 1), ("the very", 0, 1), ("it stops", 1, 1)]
)
def test_no_phrase(text, start, end):
    phrase = read(text, start)
    assert phrase.is_empty
    assert phrase.end == end


def test_a_row_of_adjectives_points_back_by_its_number():
    assert read("one wet").points_back
    assert not read("wet").points_back


@pytest.mark.parametrize(("verbs", "head"), [("", 1), ("s", None), ("v", 1)])
def test_a_noun_without_article_is_a_verb_where_none_can_stand(verbs, head):
    assert read("empty stops here", before="B", verbs=verbs).head == head


def test_the_nouns_of_a_row_of_adjectives_are_those_it_stands_for():
    phrase = read("wet and cold")
    assert phrase.nouns == []
    phrase.stands_for = [7]
    assert phrase.nouns == [7]
    assert read("a dog").nouns == [1]

"""Referring phrases fit their object and no other."""

import pytest
import torch

from ovarnet.captions.query import read_query
from ovarnet.scenes.world.referring import (
    BOTH,
    SAME_ATTRIBUTES,
    SAME_CATEGORY,
    kind_of_reference,
    references,
)
from ovarnet.scenes.world.words import vocabulary
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN, Annotations

WORDS = vocabulary()
CAR, DOG = WORDS.category_index["car"], WORDS.category_index["dog"]


def scene(*objects, image_id="3000000"):
    """Objects: (category, words that are true of it); "?word" is not defined for it; every other
    word is false."""
    labels = torch.full((len(objects), len(WORDS.attributes)), NEGATIVE, dtype=torch.int8)
    for row, (_, words) in enumerate(objects):
        for word in words.split():
            labels[row, WORDS.attribute_index[word.lstrip("?")]] = (
                UNKNOWN if word.startswith("?") else POSITIVE
            )
    boxes = [[10 * row, 0, 10 * row + 9, 9] for row in range(len(objects))]
    return Annotations(
        "x.jpg", image_id, 60, 80, boxes, [category for category, _ in objects], labels
    )


def columns(*words):
    return [WORDS.attribute_index[word] for word in words]


@pytest.mark.parametrize(
    ("others", "words", "kind"),
    [
        ([(CAR, "black")], ["white"], SAME_CATEGORY),
        ([(DOG, "white")], ["white"], SAME_ATTRIBUTES),
        ([(CAR, "black"), (DOG, "white")], ["white"], BOTH),
        ([(CAR, "white small")], ["white"], None),  # fits the other too
        ([(CAR, "white")], ["white", "small"], SAME_CATEGORY),
        ([(DOG, "black")], ["white"], None),  # nothing shares anything
        ([(CAR, "?white")], ["white"], None),  # not known to be told apart
        ([], ["white"], None),
    ],
)
def test_kinds(others, words, kind):
    assert kind_of_reference(scene((CAR, "white small"), *others), 0, columns(*words)) == kind


@pytest.mark.slow
def test_phrases_fit_one_object_and_are_read_as_meant():
    crowd = scene(
        (CAR, "white small striped"),
        (CAR, "black large plain"),
        (DOG, "white large striped"),
        (DOG, "gray small plain"),
    )
    found = [phrase for index in range(40) for phrase in references(crowd, WORDS, seed=index)]
    for phrase in found:
        fits = crowd.categories == WORDS.category_index[phrase.category]
        fits &= (crowd.attributes[:, columns(*phrase.attributes)] == POSITIVE).all(dim=1)
        assert fits.nonzero().flatten().tolist() == [phrase.target]
        query = read_query(phrase.text, WORDS)
        strings = {
            text: word.name
            for word in (*WORDS.categories, *WORDS.attributes)
            for text in (word.name, *word.synonyms)
        }
        assert strings[query.category] == phrase.category, phrase
        assert {strings[word] for word in query.attributes} == set(phrase.attributes), phrase
    assert {phrase.kind for phrase in found} >= {SAME_CATEGORY, BOTH}
    assert len({phrase.text for phrase in found}) > 60
    assert references(crowd, WORDS) == references(crowd, WORDS)


def test_base_phrases_say_base_words_only():
    found = references(scene((CAR, "large"), (CAR, "small")), WORDS)
    assert {(phrase.attributes, phrase.is_base(WORDS)) for phrase in found} == {
        (("large",), False),
        (("small",), True),
    }

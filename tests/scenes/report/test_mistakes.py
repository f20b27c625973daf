"""Which detection speaks of which object, which words are right, and which mistakes are the worst;
worked out by hand."""

import pytest
import torch

from ovarnet.scenes.report import mistakes
from ovarnet.scenes.report.side_by_side import (
    OPEN,
    RIGHT,
    WRONG,
    compare,
    pick_images,
    truth_column,
)
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN, Annotations, Detections
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary(
    (Word("mug", "household", seen=True), Word("key", "tool")),
    (Word("red", "color", seen=True), Word("gray", "color"), Word("striped", "pattern", seen=True)),
)
P, N, U = POSITIVE, NEGATIVE, UNKNOWN


def annotated(boxes, categories, attributes, file="a.jpg"):
    return Annotations(
        file,
        file,
        100,
        120,
        torch.tensor(boxes, dtype=torch.float32),
        categories,
        torch.tensor(attributes),
    )


def detected(boxes, scores, categories, attributes):
    return Detections(
        boxes,
        torch.tensor(scores),
        torch.tensor(categories).reshape(-1, 2),
        torch.tensor(attributes).reshape(-1, 3),
        ["mug", "key"],
        ["red", "gray", "striped"],
    )


TRUTH = annotated([[0, 0, 40, 40], [60, 0, 100, 40]], [0, 1], [[P, N, U], [N, P, P]])


def test_words_are_judged_by_the_object_spoken_of():
    found = detected(
        [[0, 0, 40, 44], [200, 0, 220, 9], [0, 0, 40, 40], [60, 0, 100, 40]],
        [0.5, 0.8, 0.4, 0.29],
        [[0.1, 0.8], [0.1, 0.8], [0.6, 0.1], [0.1, 0.9]],
        [[0.1] * 3, [0.3, 0.2, 0.9], [0.9, 0.8, 0.1], [0.1] * 3],
    )
    column = compare(found, TRUTH, WORDS)
    first, *extras = column.found
    assert first.number == 1
    assert first.score == pytest.approx(0.4)
    assert (first.category.word, first.category.truth, first.category.is_novel) == (
        "mug",
        RIGHT,
        False,
    )
    assert [(said.word, said.truth) for said in first.attributes] == [
        ("red", RIGHT),
        ("gray", WRONG),
        ("striped", OPEN),
    ]
    assert [(item.number, item.category.word, item.category.truth) for item in extras] == [
        (0, "key", OPEN)
    ] * 2
    assert all(item.attributes == [] for item in extras)
    assert column.missed == [2]
    assert column.left_out == 0


def test_many_extras_are_counted():
    found = detected([[200, 0, 220, 9]] * 5, [0.9] * 5, [[0.7, 0.2]] * 5, [[0.1] * 3] * 5)
    column = compare(found, TRUTH, WORDS)
    assert len(column.found) == 3
    assert column.left_out == 2
    assert column.missed == [1, 2]
    empty = compare(detected([], [], [], []), TRUTH, WORDS)
    assert (empty.found, empty.missed) == ([], [1, 2])


def test_the_annotated_column():
    column = truth_column(TRUTH, WORDS)
    assert [
        (item.number, item.category.word, [said.word for said in item.attributes])
        for item in column.found
    ] == [(1, "mug", ["red"]), (2, "key", ["gray", "striped"])]
    assert [item.category.is_novel for item in column.found] == [False, True]


def test_pictures_are_picked_by_their_objects_not_by_results():
    one, mugs = (
        annotated([[0, 0, 9, 9]], [1], [[U, U, U]]),
        annotated([[0, 0, 9, 9]] * 2, [0, 0], [[U, U, U]] * 2),
    )
    none = annotated([[0, 0, 9, 9]], [0], [[U, U, U]])[torch.zeros(1, dtype=torch.bool)]
    picked = pick_images([none, one, mugs, TRUTH], WORDS, 2)
    assert picked[0] is TRUTH
    assert picked[1] is one
    assert len(pick_images([none, one, mugs, TRUTH], WORDS, 9)) == 3


PAIRS = [
    (
        TRUTH,
        detected(
            TRUTH.boxes.tolist(),
            [1.0, 1.0],
            [[0.2, 0.9], [0.8, 0.3]],
            [[0.1, 0.7, 0.9], [0.4, 0.2, 0.6]],
        ),
    )
]


def test_worst_categories_and_attributes():
    wrong = mistakes.wrong_categories(PAIRS, WORDS, 9)
    assert [(one.said, one.true) for one in wrong] == [
        ("key 0.90", "mug (0.20)"),
        ("mug 0.80", "key (0.30)"),
    ]
    assert wrong[0].file == "a.jpg"
    assert wrong[0].box == (0, 0, 40, 40)
    assert len(mistakes.wrong_categories(PAIRS, WORDS, 1)) == 1
    false = mistakes.false_attributes(PAIRS, WORDS, 9)
    assert [(one.said, one.true) for one in false] == [
        ("gray 0.70", "red"),
        ("red 0.40", "gray"),
    ]  # the unknown label does not count
    missed = mistakes.missed_attributes(PAIRS, WORDS, 9)
    assert [(one.said, one.true) for one in missed] == [
        ("gray 0.70", "red (0.10)"),
        ("red 0.40", "gray (0.20)"),
    ]
    only_stripes = annotated([[60, 0, 100, 40]], [1], [[N, U, P]])
    [alone] = mistakes.missed_attributes([(only_stripes, PAIRS[0][1][1:])], WORDS, 9)
    assert (alone.said, alone.true) == (
        "not striped",
        "striped (0.60)",
    )  # no other pattern is known to be false


def test_at_most_two_mistakes_of_a_word():
    boxes = [[0, 0, 9, 9 + row] for row in range(4)]
    truth = annotated(boxes, [0] * 4, [[U, U, U]] * 4)
    found = detected(
        boxes, [1.0] * 4, [[0.1, 0.6], [0.1, 0.9], [0.1, 0.7], [0.9, 0.1]], [[0.0] * 3] * 4
    )
    assert [one.said for one in mistakes.wrong_categories([(truth, found)], WORDS, 9)] == [
        "key 0.90",
        "key 0.70",
    ]
    assert mistakes.confusions([(truth, found)], WORDS) == [("mug", "key", 3, 4)]


def test_what_was_found_in_nothing():
    found = detected(
        [[0, 0, 40, 40], [0, 60, 30, 90], [38, 0, 62, 40]],
        [0.9, 0.4, 0.3],
        [[0.9, 0.1]] * 3,
        [[0.0] * 3] * 3,
    )
    worst = mistakes.found_in_nothing([(TRUTH, found)], 9)
    assert [(one.said, one.true, one.box) for one in worst] == [
        ("mug 0.40", "no object fits", (0, 60, 30, 90)),
        ("mug 0.30", "no object fits", (38, 0, 62, 40)),
    ]
    nothing_there = TRUTH[torch.zeros(2, dtype=torch.bool)]
    assert len(mistakes.found_in_nothing([(nothing_there, found)], 9)) == 2

"""Which annotated object a detection is matched to and which of its words are right, by hand."""

import pytest
import torch
from report_objects import TRUTH, WORDS, U, annotated, detected

from ovarnet.scenes.report.side_by_side import (
    OPEN,
    RIGHT,
    WRONG,
    compare,
    pick_images,
    truth_column,
)


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

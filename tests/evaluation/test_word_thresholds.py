"""Which detections are right, and the threshold of the highest F1, by hand."""

import pytest
import torch

from ovarnet.evaluation.word_thresholds import (
    ChosenThreshold,
    attribute_thresholds,
    best_threshold,
    category_thresholds,
    matched,
)
from ovarnet.structures import Annotations, Detections
from ovarnet.vocabulary import Vocabulary

WORDS = ["cat", "dog"]
LEFT, RIGHT = [0, 0, 10, 10], [20, 0, 30, 10]


def detections(boxes, scores, columns):
    return Detections(
        torch.tensor(boxes).float().reshape(-1, 4),
        torch.tensor(scores),
        torch.eye(2)[columns],
        torch.zeros(len(boxes), 0),
        WORDS,
    )


def annotations(boxes, categories, **flags):
    return Annotations("a.jpg", "1", 40, 40, boxes, categories, torch.zeros(len(boxes), 0), **flags)


def rights(boxes, scores, columns, annotated, categories, **flags):
    found, image = detections(boxes, scores, columns), annotations(annotated, categories, **flags)
    return [(round(score, 2), right) for _, score, right in matched(found, image, WORDS)]


def test_the_best_detection_of_a_box_is_right_and_a_second_is_not():
    assert rights([LEFT, LEFT], [0.4, 0.6], [0, 0], [LEFT], [0]) == [(0.6, True), (0.4, False)]


def test_another_category_or_another_place_is_wrong():
    assert rights([LEFT, RIGHT], [0.6, 0.5], [1, 0], [LEFT], [0]) == [(0.6, False), (0.5, False)]


def test_a_difficult_box_counts_neither_way():
    assert rights([LEFT], [0.6], [0], [LEFT], [0], is_difficult=[True]) == []


def test_no_detection_and_no_box():
    assert rights([], [], [], [LEFT], [0]) == []
    assert rights([LEFT], [0.6], [0], [], []) == [(0.6, False)]
    assert rights([LEFT], [0.6], [0], [LEFT], [-1]) == [(0.6, False)]


def test_best_threshold_lies_between_yes_and_no():
    # F1 after each: 2/4, 4/5, 4/6
    chosen = best_threshold([0.3, 0.9, 0.7], [False, True, True], 3)
    assert chosen == ChosenThreshold(0.5, pytest.approx(4 / 5), 3)
    # all are yes, so anything above 0 would do
    assert best_threshold([0.4], [True], 1).threshold == 0.2
    # equal scores cannot be told apart: 2 of 3 right, or none
    assert best_threshold([0.8, 0.8, 0.8], [True, False, True], 2).f1 == pytest.approx(4 / 5)
    near = best_threshold([0.50002, 0.50001], [True, False], 1)
    assert 0.50001 < near.threshold <= 0.50002


def test_category_thresholds():
    vocabulary = Vocabulary.of(WORDS)
    results = [
        (annotations([LEFT], [0]), detections([LEFT, RIGHT], [0.8, 0.6], [0, 0])),
        (annotations([RIGHT], [0]), detections([RIGHT], [0.7], [0])),
        (annotations([LEFT], [1]), detections([], [], [])),
    ]
    chosen = category_thresholds(results, vocabulary, 1)
    assert chosen == {"cat": ChosenThreshold(0.65, 1.0, 2)}  # no dog was detected
    assert category_thresholds(results, vocabulary, 3) == {}

    # where cats are not annotated exhaustively, a cat without a box is no mistake
    partly = annotations([LEFT], [1], labelled_categories=[False, True])
    more = [*results, (partly, detections([RIGHT], [0.9], [0]))]
    assert category_thresholds(more, vocabulary, 1) == chosen


def test_attribute_thresholds_use_known_labels_alone():
    vocabulary = Vocabulary.of([], ["red", "old", "wet"])
    image = Annotations(
        "a.jpg", "1", 40, 40, [LEFT] * 4, [-1] * 4,
        [[1, 1, 1], [0, 1, 2], [2, 1, 2], [1, 1, 0]], is_difficult=[False, False, False, True],
    )  # fmt: skip
    scores = torch.tensor([[0.6, 0.5, 0.9], [0.2, 0.5, 0.1], [0.9, 0.5, 0.1], [0.1, 0.5, 0.8]])
    found = Detections(
        image.boxes, torch.ones(4), torch.zeros(4, 0), scores, [], vocabulary.attribute_names
    )
    # old and wet have no negative label on a box that counts
    assert attribute_thresholds([(image, found)], vocabulary, 1) == {
        "red": ChosenThreshold(0.4, 1.0, 1)
    }
    assert attribute_thresholds([(image, found)], vocabulary, 2) == {}

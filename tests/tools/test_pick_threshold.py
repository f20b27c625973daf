"""Which detections are right, for the choice of a threshold."""

import importlib.util
from pathlib import Path

import torch

from ovarnet.structures import Annotations, Detections

TOOL = Path(__file__).parents[2] / "tools" / "pick_threshold.py"
SPEC = importlib.util.spec_from_file_location("pick_threshold", TOOL)
tool = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)

WORDS = ["cat", "dog"]
LEFT, RIGHT = [0, 0, 10, 10], [20, 0, 30, 10]


def judged(boxes, scores, columns, annotated, categories, **flags):
    found = Detections(
        torch.tensor(boxes).float().reshape(-1, 4),
        torch.tensor(scores),
        torch.eye(2)[columns],
        torch.zeros(len(boxes), 0),
        WORDS,
    )
    attributes = torch.zeros(len(annotated), 0)
    image = Annotations("a.jpg", "1", 40, 40, annotated, categories, attributes, **flags)
    return [(round(score, 2), right) for score, right in tool.judged(found, image, WORDS)]


def test_the_best_detection_of_a_box_is_right_and_a_second_is_not():
    assert judged([LEFT, LEFT], [0.4, 0.6], [0, 0], [LEFT], [0]) == [(0.6, True), (0.4, False)]


def test_another_category_or_another_place_is_wrong():
    assert judged([LEFT, RIGHT], [0.6, 0.5], [1, 0], [LEFT], [0]) == [(0.6, False), (0.5, False)]


def test_a_difficult_box_counts_neither_way():
    assert judged([LEFT], [0.6], [0], [LEFT], [0], is_difficult=[True]) == []


def test_no_detection_and_no_box():
    assert judged([], [], [], [LEFT], [0]) == []
    assert judged([LEFT], [0.6], [0], [], []) == [(0.6, False)]

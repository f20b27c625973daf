"""Colours of boxes and their outlines."""

import numpy as np
import torch
from drawn_detections import detections

from ovarnet.drawing.boxes import box_colours, colour, draw_boxes

BOXES = [[10, 10, 60, 60], [100, 10, 160, 60], [10, 100, 60, 160]]


def test_a_word_keeps_its_colour():
    found = detections(BOXES)  # mug, car, mug
    assert box_colours(found, np.array([0, 1, 2])) == [colour(0), colour(1), colour(0)]
    assert box_colours(found[[1, 0]], np.array([0, 1])) == [colour(1), colour(0)]


def test_with_one_word_or_none_each_detection_has_its_colour():
    for words in (("mug",), ()):
        found = detections(BOXES, categories=words)
        best_last = np.array([2, 0, 1])
        assert box_colours(found, best_last) == [colour(1), colour(2), colour(0)]
        assert len(set(box_colours(found, np.arange(3)))) == 3


def test_the_colours_of_many_boxes_differ():
    assert len({colour(index) for index in range(100)}) == 100
    steps = [np.abs(np.subtract(colour(i), colour(i + 1))).max() for i in range(100)]
    assert min(steps) > 60


def test_the_first_box_is_on_top():
    canvas = np.full((200, 200, 3), 255, np.uint8)
    both = draw_boxes(canvas, np.array([[20.0, 20, 80, 80]] * 2), [(255, 0, 0), (0, 0, 255)])
    assert both[20, 50].tolist() == [255, 0, 0]
    assert both[50, 50].tolist() == [255, 255, 255]
    assert (canvas == 255).all()
    assert draw_boxes(canvas, np.zeros((0, 4)), []) is canvas


def test_scores_that_are_all_zero_have_a_colour_too():
    found = detections(BOXES)
    found.category_scores = torch.zeros(3, 2)
    assert box_colours(found, np.arange(3)) == [colour(0)] * 3

"""IoU and one-to-one matching."""

import numpy as np
import pytest
import torch

from ovarnet.evaluation.matching import greedy_match, pairwise_iou


def test_iou_has_no_plus_one():
    iou = pairwise_iou([[0, 0, 10, 10], [0, 0, 5, 10]], torch.tensor([[0.0, 0, 10, 20]]))
    assert iou.dtype == np.float32
    assert iou.tolist() == [[0.5], [0.25]]


def test_boxes_without_area_have_iou_zero():
    assert pairwise_iou([[5, 5, 5, 5]], [[5, 5, 5, 5]]).tolist() == [[0]]


def test_nothing_on_one_side():
    assert pairwise_iou([], [[0, 0, 1, 1]]).shape == (0, 1)
    assert pairwise_iou([[0, 0, 1, 1]], []).shape == (1, 0)
    assert greedy_match(np.zeros((2, 0)), 0.5).tolist() == [-1, -1]
    assert greedy_match(np.zeros((0, 2)), 0.5).tolist() == []


@pytest.mark.parametrize(
    ("iou", "match"),
    [
        ([[0.9, 0.8], [0.95, 0.1]], [1, 0]),  # the largest first: row 1 takes column 0
        ([[0.9, 0.1], [0.95, 0.1]], [-1, 0]),
        ([[0.5, 0.49]], [0]),  # the minimum itself matches
        ([[0.49]], [-1]),
        ([[0.7, 0.7], [0.7, 0.7]], [0, 1]),  # ties: the lowest row, then the lowest column
        ([[0.6, 0.7], [0.6, 0.7]], [1, 0]),
    ],
)
def test_greedy_matching(iou, match):
    assert greedy_match(np.array(iou), 0.5).tolist() == match

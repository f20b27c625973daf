"""Untrained models and random inputs for timing."""

import pytest
import torch

from ovarnet.evaluation.untrained import calibrate, random_boxes, random_words


def test_boxes_lie_within_a_non_square_image_and_are_always_the_same():
    boxes = random_boxes(200, 50, 300)
    assert torch.equal(boxes, random_boxes(200, 50, 300))
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2] <= 300).all()
    assert (boxes[:, 3] <= 50).all()
    sides = (boxes[:, 2:] - boxes[:, :2]) / torch.tensor([300.0, 50.0])
    assert sides.min() >= 0.05 - 1e-5
    assert sides.max() <= 0.5 + 1e-5


def test_calibration_sets_the_statistics_of_one_pass():
    layer, values = torch.nn.BatchNorm1d(1).eval(), torch.tensor([[1.0], [5.0]])
    calibrate(layer, lambda: layer(values))
    assert layer.running_mean.item() == 3
    assert not layer.training
    assert layer(values).flatten().tolist() == pytest.approx([-2 / 8**0.5, 2 / 8**0.5], abs=1e-3)


def test_words_are_unit_vectors_and_always_the_same():
    words = random_words(3, 8, "attribute", torch.device("cpu"))
    again = random_words(3, 8, "attribute", torch.device("cpu"))
    assert torch.equal(words.matrix, again.matrix)
    assert words.matrix.norm(dim=1).tolist() == pytest.approx([1, 1, 1])
    assert (len(words), words.owner.tolist(), words.kind) == (3, [0, 1, 2], "attribute")

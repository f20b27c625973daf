"""Box operations on a fixed number of rows, against what torchvision gives for each image."""

import torch
from torchvision.models.detection._utils import BoxCoder

from ovarnet.onnx.box_rows import (
    UNUSED,
    best,
    clip_to_sizes,
    decoded,
    kept_by_nms,
    suppressed,
    without_small,
)

# the second box overlaps the first by 0.9, the third stands apart
ROW = [[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 10]]


def test_nms_keeps_the_best_of_each_image_and_no_unused_row():
    boxes = torch.tensor([ROW, ROW])
    scores = torch.tensor([[0.5, 0.6, 0.1], [0.9, 0.8, UNUSED]])
    kept = kept_by_nms(boxes, scores, 0.7)
    assert kept.tolist() == [[False, True, True], [True, False, False]]
    assert kept_by_nms(boxes, scores, 0.95).tolist() == [[True] * 3, [True, True, False]]
    assert torch.equal(
        suppressed(boxes, scores, 0.7),
        torch.tensor([[UNUSED, 0.6, 0.1], [0.9, UNUSED, UNUSED]]),
    )


def test_best_rows_come_first_and_missing_ones_are_unused():
    boxes, scores = torch.tensor([ROW]), torch.tensor([[0.2, UNUSED, 0.9]])
    chosen, values = best(boxes, scores, 2)
    assert chosen.tolist() == [[ROW[2], ROW[0]]]
    assert torch.equal(values, torch.tensor([[0.9, 0.2]]))
    chosen, values = best(boxes, scores, 5)
    assert chosen.shape == (1, 5, 4)
    assert values[0, 2:].tolist() == [UNUSED] * 3


def test_boxes_are_clipped_to_height_and_width():
    boxes = torch.tensor([[[-3.0, -4, 50, 60]], [[1, 2, 3, 4]]])
    clipped = clip_to_sizes(boxes, torch.tensor([[20, 30], [20, 30]]))
    assert clipped.tolist() == [[[0, 0, 30, 20]], [[1, 2, 3, 4]]]


def test_boxes_with_a_small_side_lose_their_score():
    boxes = torch.tensor([[[0.0, 0, 5, 1], [0, 0, 1, 0.9], [0, 0, 0.9, 9]]])
    scores = without_small(boxes, torch.tensor([[0.5, 0.6, 0.7]]), 1.0)
    assert scores.tolist() == [[0.5, UNUSED, UNUSED]]


def test_deltas_are_decoded_as_by_torchvision():
    coder, boxes = BoxCoder((10.0, 10.0, 5.0, 5.0)), torch.tensor([ROW, ROW])
    deltas = torch.arange(24.0).reshape(2, 3, 4) / 10
    for image in range(2):
        expected = coder.decode_single(deltas[image], boxes[image])
        assert torch.equal(decoded(coder, deltas, boxes)[image], expected)

"""The user's boxes: clipped, kept in order, and refused by name where they cannot be meant."""

import numpy as np
import pytest
import torch

from ovarnet.errors import InputError
from ovarnet.modeling.given_boxes import checked_boxes, one_each


def test_given_boxes_are_clipped_to_a_non_square_image():
    assert checked_boxes([[-5, 50, 90, 70]], 60, 80, "x").tolist() == [[0, 50, 80, 60]]


@pytest.mark.parametrize(
    ("box", "fault"),
    [
        ([float("nan"), 0, 5, 5], "finite"),
        ([0, 0, float("inf"), 5], "finite"),
        ([5, 0, 4, 5], "inverted"),
        ([0, 5, 5, 4], "inverted"),
        ([5, 0, 5, 5], "no size"),
        ([80, 0, 90, 5], "outside the image of 80 x 60"),
        ([-9, 0, 0, 5], "outside"),
        ([0, 60, 5, 70], "outside"),
    ],
)
def test_bad_box_is_named(box, fault):
    with pytest.raises(InputError, match=rf"^photo\.jpg.*: box 1 .*{fault}"):
        checked_boxes([[0, 0, 5, 5], box], 60, 80, "photo.jpg")


def test_boxes_as_a_list_of_tensors():
    boxes = checked_boxes([torch.tensor([1.0, 2, 30, 40])], 60, 80, "x")
    assert boxes.tolist() == [[1, 2, 30, 40]]
    assert boxes.dtype == torch.float32


@pytest.mark.parametrize(
    "boxes",
    [
        [1, 2, 3, 4],
        [[1, 2, 3]],
        [[1, 2, 3, 4], [1, 2]],
        [["a", "b", "c", "d"]],
        [[10**400, 1, 2, 3]],
        [torch.zeros(4), torch.zeros(3)],
        7,
        "boxes",
        {"a": 1},
    ],
)
def test_boxes_of_another_shape(boxes):
    with pytest.raises(InputError, match=r"\(N, 4\)"):
        checked_boxes(boxes, 60, 80, "photo.jpg")


def test_one_set_of_boxes_for_each_image():
    assert one_each(None, 2) is None
    assert one_each(([[0, 0, 5, 5]], []), 2) == [[[0, 0, 5, 5]], []]
    with pytest.raises(InputError, match="2 images but 1 sets of boxes"):
        one_each([[[0, 0, 5, 5]]], 2)


@pytest.mark.parametrize("boxes", [[], np.zeros((0, 4)), torch.zeros(0, 4)])
def test_no_boxes(boxes):
    assert checked_boxes(boxes, 60, 80, "x").shape == (0, 4)


def test_a_width_that_vanishes_in_float32_is_no_size():
    with pytest.raises(InputError, match=r"x: box 0 .* has no size"):
        checked_boxes([[10, 10, 10 + 1e-7, 20]], 60, 80, "x")
    with pytest.raises(InputError, match=r"x: box 0 .* lies outside"):
        checked_boxes([[79.9999999, 0, 90, 5]], 60, 80, "x")


def test_fractions_of_the_image_are_refused():
    with pytest.raises(
        InputError, match=r"x: all boxes lie within 0\.\.1.*\(x times 80, y times 60\)"
    ):
        checked_boxes([[0.25, 0.25, 0.5, 0.75], [0, 0, 1, 1]], 60, 80, "x")
    assert checked_boxes([[0, 0, 1, 1]], 60, 80, "x").tolist() == [[0, 0, 1, 1]], "one pixel"
    assert len(checked_boxes([[0.25, 0.25, 0.5, 0.75]], 1, 1, "x")) == 1, "of an image of one pixel"
    assert len(checked_boxes([[0.25, 0.25, 0.5, 0.75], [0, 0, 9, 9]], 60, 80, "x")) == 2

import pytest
import torch

from ovarnet.data.boxes import (
    SMALLEST_SIDE,
    checked_corners,
    checked_xywh,
    four_numbers,
    has_area,
    refuse_fractions,
)
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped

HEIGHT, WIDTH = 40, 60


def test_four_numbers():
    assert four_numbers([1, 2.5, "3", 4]) == [1, 2.5, 3, 4]
    for values in ([1, 2, 3], [1, 2, 3, 4, 5], "1234", None, [1, 2, 3, None], [1, 2, 3, True]):
        assert four_numbers(values) is None


@pytest.mark.parametrize(
    ("values", "corners", "reason"),
    [
        ([1, 2, 10, 20], [1, 2, 11, 22], None),
        ([0, 0, 60.4, 40], [0, 0, 60, 40], None),
        ([50, 30, 20, 20], [50, 30, 60, 40], "part of the box outside the image, clipped"),
        ([-5, 10, 40, 20], [0, 10, 35, 30], "part of the box outside the image, clipped"),
        ([60, 0, 5, 5], None, "box lies outside the image"),
        ([59.995, 0, 5, 5], None, "box lies outside the image"),
        ([1, 2, 0, 5], None, "box has no area"),
        ([1, 2, -3, 5], None, "box has no area"),
        ([10, 10, 1e-7, 1e-7], None, "box has no area"),
        (["a", 2, 3, 4], None, "box is not four finite numbers"),
        ([1, 2, float("nan"), 4], None, "box is not four finite numbers"),
        (None, None, "box is not four finite numbers"),
    ],
)
def test_boxes_are_clipped_or_left_out_with_a_note(values, corners, reason):
    skipped = Skipped()
    assert checked_xywh(values, HEIGHT, WIDTH, "box 7", skipped) == corners
    assert list(skipped.items) == ([] if reason is None else [reason])
    if reason is not None:
        assert skipped.items[reason][0].startswith(f"box 7: {values}")


def test_the_smallest_box_keeps_its_area_in_float32_and_when_scaled():
    for start in (0.0, 10.0, 4095.0, 59_999.0):
        corners = [start, start, start + 1.001 * SMALLEST_SIDE, start + 1.001 * SMALLEST_SIDE]
        assert has_area(corners)
        for scale in (1, 0.1, 1 / 3):
            x1, _, x2, _ = (torch.tensor(corners) * scale).tolist()
            assert x2 > x1
    assert not has_area([10, 10, 10 + 0.9 * SMALLEST_SIDE, 20])


def test_corners_that_are_inside_stay_as_they_are():
    skipped = Skipped()
    assert checked_corners([0, 0, 60, 40], HEIGHT, WIDTH, "x", skipped) == [0, 0, 60, 40]
    assert not skipped


def test_fractions_are_refused_only_if_all_boxes_are():
    for boxes in ([[0.1, 0.2, 0.3, 0.4]], [[0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1], None, "x"]):
        with pytest.raises(
            InputError, match=r"^a\.json: all boxes lie within 0\.\.1, as fractions"
        ):
            refuse_fractions(boxes, "a.json")
    for boxes in ([], [None], [[0.1, 0.2, 0.3, 0.4], [1, 2, 3, 4]], [[-0.1, 0.2, 0.3, 0.4]]):
        refuse_fractions(boxes, "a.json")

"""The foreground of a product photo, on pictures whose box is known."""

import numpy as np
import pytest

from ovarnet.catalogue.modeling.foreground import foreground_box, foreground_mask, mask_to_box


def photo(height, width, box, colour=(180, 30, 30), background=250):
    """A rectangle on a plain background."""
    image = np.full((height, width, 3), background, np.uint8)
    x1, y1, x2, y2 = box
    image[y1:y2, x1:x2] = colour
    return image


def iou(a, b):
    inter = [min(a[i + 2], b[i + 2]) - max(a[i], b[i]) for i in (0, 1)]
    shared = inter[0] * inter[1] if min(inter) > 0 else 0
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return shared / (sum(areas) - shared)


def test_the_box_is_padded_by_five_percent_of_its_sides():
    """A wide photo, so that height and width cannot be mistaken."""
    assert foreground_box(photo(100, 200, (40, 20, 140, 60))) == (35, 18, 145, 62)


def test_the_box_is_clipped_to_the_photo():
    assert foreground_box(photo(100, 200, (4, 1, 104, 61)))[:2] == (0, 0)


def test_small_components_are_dust():
    image = photo(100, 200, (40, 20, 140, 60))
    image[90:94, 190:194] = 0
    assert foreground_box(image) == (35, 18, 145, 62)


def test_a_muted_gradient_background_is_left_to_grabcut():
    ramp = np.linspace(120, 235, 160).astype(np.uint8)
    image = np.repeat(ramp[None, :, None], 120, axis=0).repeat(3, axis=2)
    image[30:90, 50:110] = (200, 20, 20)
    assert iou(foreground_box(image), (50, 30, 110, 90)) >= 0.8


@pytest.mark.parametrize("side", [1, 2, 5, 7])
def test_tiny_photos_have_a_box_inside(side):
    x1, y1, x2, y2 = foreground_box(np.zeros((side, side + 1, 3), np.uint8))
    assert 0 <= x1 < x2 <= side + 1
    assert 0 <= y1 < y2 <= side


def test_degenerate_masks_give_the_whole_photo():
    assert foreground_box(np.full((40, 60, 3), 255, np.uint8)) == (0, 0, 60, 40)
    assert mask_to_box(np.ones((40, 60), bool)) == (0, 0, 60, 40)
    one = np.zeros((40, 60), bool)
    one[3, 3] = True
    assert mask_to_box(one) == (0, 0, 60, 40)


def test_the_mask_has_the_size_of_the_photo():
    mask = foreground_mask(photo(50, 90, (20, 10, 60, 40)))
    assert mask.shape == (50, 90)
    assert mask.sum() == 40 * 30

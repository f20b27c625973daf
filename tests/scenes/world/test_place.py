"""Windows of cut-outs and pictures, blending, and contact shadows."""

import numpy as np
import pytest

from ovarnet.scenes.world.place import Cutout, paste, window
from ovarnet.scenes.world.things import Thing
from ovarnet.scenes.world.words import CATEGORIES

THING = Thing(CATEGORIES[0], "blue", "plain", "matte", "large", None, frozenset(), 4.0, 0.0)


def cutout(alpha=255):
    """3 high, 4 wide, blue."""
    rgba = np.zeros((3, 4, 4), np.uint8)
    rgba[..., 2], rgba[..., 3] = 200, alpha
    return Cutout(THING, rgba, np.ones((3, 4), bool), (0, 0, 4, 3), 12)


@pytest.mark.parametrize(
    ("left", "top", "picture", "inside"),
    [
        (2, 1, (slice(1, 4), slice(2, 6)), (slice(0, 3), slice(0, 4))),
        (-1, -2, (slice(0, 1), slice(0, 3)), (slice(2, 3), slice(1, 4))),
        (8, 5, (slice(5, 6), slice(8, 10)), (slice(0, 1), slice(0, 2))),
    ],
)
def test_overlap_with_a_picture_of_6_x_10(left, top, picture, inside):
    place = window(cutout(), left, top, 6, 10)
    assert (place.picture, place.cutout) == (picture, inside)


@pytest.mark.parametrize(("left", "top"), [(10, 0), (-4, 0), (0, 6), (0, -3)])
def test_no_overlap(left, top):
    assert window(cutout(), left, top, 6, 10) is None


@pytest.mark.parametrize(("alpha", "blue"), [(255, 200), (0, 100), (51, 120)])
def test_blending_by_alpha(alpha, blue):
    image = np.full((6, 10, 3), 100, np.uint8)
    part = cutout(alpha)
    paste(image, part, 2, 1, window(part, 2, 1, 6, 10), shadow=0.0)
    assert image[1:4, 2:6, 2] == pytest.approx(np.full((3, 4), blue), abs=1)
    image[1:4, 2:6] = 100
    assert (image == 100).all()


def test_the_shadow_lies_under_the_lower_edge():
    image = np.full((40, 60, 3), 100, np.uint8)
    rgba = np.zeros((10, 30, 4), np.uint8)  # transparent: only the shadow is seen
    part = Cutout(THING, rgba, np.ones((10, 30), bool), (0, 0, 30, 10), 300)
    paste(image, part, 15, 10, window(part, 15, 10, 40, 60), shadow=0.5)
    darker = image[..., 0] < 100
    rows, columns = np.nonzero(darker)
    assert image.min() == pytest.approx(52, abs=1)  # 100 * (1 - 0.5 * 246 / 255), its middle
    assert rows.min() >= 14
    assert rows.max() <= 24
    assert (columns.min() + columns.max()) / 2 == pytest.approx(30, abs=2)

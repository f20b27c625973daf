"""Silhouettes: distance maps of glyphs on the canvas, and the font they come from."""

import sys

import numpy as np
import pytest

from ovarnet.errors import InputError
from ovarnet.scenes.world import silhouettes
from ovarnet.scenes.world.silhouettes import CANVAS, GLYPH, SIDES, silhouette
from ovarnet.scenes.world.words import CATEGORIES


@pytest.mark.parametrize("side", SIDES)
def test_the_longer_side_of_a_glyph_is_84_canvas_units(side):
    for category in CATEGORIES[:6]:
        shape = silhouette(category, side, 7.0)
        rows, columns = np.nonzero(shape.distance > 0)
        longer = max(np.ptp(rows), np.ptp(columns)) + 1
        assert longer * CANVAS / side == pytest.approx(GLYPH, abs=3)
        assert 2 * max(shape.extent) == pytest.approx(GLYPH, abs=1)


def test_the_crop_is_the_glyph_and_its_margin():
    category = next(c for c in CATEGORIES if c.name == "key")
    narrow, wide = (silhouette(category, 96, margin) for margin in (7.0, 14.0))
    assert narrow.distance.shape == tuple(part.stop - part.start for part in narrow.crop)
    grown = np.subtract(wide.distance.shape, narrow.distance.shape)
    assert grown == pytest.approx([12, 12], abs=2)  # 2 * 7 units of 96 / 112 pixels
    assert (narrow.distance[0] < 0).all()


def test_the_core_lies_inside_and_the_depth_is_the_largest_distance():
    for category in CATEGORIES[::7]:
        shape = silhouette(category, 96, 14.0)
        assert shape.depth == pytest.approx(shape.distance.max(), rel=0.1)
        left, top = shape.crop[1].start, shape.crop[0].start
        x, y = (shape.core * 96 // CANVAS - (left, top)).T
        assert (shape.distance[y, x] > 0).all()


def test_a_missing_font_is_one_line_with_the_pip_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "fontawesomefree", None)
    with pytest.raises(InputError, match=r"icon font: pip install 'ovarnet\[scenes\]'"):
        silhouettes._font_file()

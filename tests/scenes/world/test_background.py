"""Backgrounds: their size, and that no person would name their colour."""

import numpy as np
import pytest

from ovarnet.scenes.world.background import draw_background


@pytest.mark.parametrize("size", [(112, 208), (208, 112), (16, 16)])
def test_size_and_type(size):
    image = draw_background(*size, np.random.default_rng(0))
    assert image.shape == (*size, 3)
    assert image.dtype == np.uint8


def test_same_numbers_same_picture():
    first, again, other = (
        draw_background(40, 60, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_channels_stay_close_to_each_other():
    """A tint departs at most 10 levels from grey, clutter 1.5 times as far; a colour word 60."""
    for seed in range(20):
        image = draw_background(112, 112, np.random.default_rng(seed)).astype(int)
        assert np.quantile(image.max(axis=-1) - image.min(axis=-1), 0.99) <= 32


def test_gain_is_the_brightness():
    dark, bright = (
        draw_background(60, 60, np.random.default_rng(3), gain).mean() for gain in (0.6, 1.0)
    )
    assert dark / bright == pytest.approx(0.6, abs=0.06)

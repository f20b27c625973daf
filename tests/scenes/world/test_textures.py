"""Banks of patterns and noise: shapes, ranges and statistics."""

import numpy as np
import pytest

from ovarnet.scenes.world.textures import (
    VARIANTS,
    backdrop_bank,
    crack_bank,
    noise_bank,
    pattern_bank,
    shading_bank,
)


@pytest.mark.parametrize(
    ("word", "share"), [("striped", 0.42), ("zigzag", 0.42), ("dotted", 0.28), ("checkered", 0.5)]
)
def test_patterns_show_their_share_of_the_second_tint(word, share):
    """A stripe is 0.42 of its period; a dot of radius 0.3 covers pi * 0.09; checks are even."""
    bank = pattern_bank(word, 96)
    assert bank.shape == (VARIANTS, 96, 96)
    assert bank.dtype == np.float32
    assert bank.min() >= 0
    assert bank.max() <= 1
    assert bank.mean() == pytest.approx(share, abs=0.03)
    assert pattern_bank(word, 96) is bank


def test_noise_has_zero_mean_unit_deviation_and_blobs_of_its_grain():
    coarse, fine = noise_bank(14, 96), noise_bank(2, 96)
    for bank in (coarse, fine):
        assert bank.mean(axis=(1, 2)) == pytest.approx(np.zeros(VARIANTS), abs=1e-5)
        assert bank.std(axis=(1, 2)) == pytest.approx(np.ones(VARIANTS), abs=1e-4)
    steps = [np.abs(np.diff(bank, axis=2)).mean() for bank in (coarse, fine)]
    assert steps[0] < steps[1] / 3


def test_cracks_start_in_the_middle():
    bank = crack_bank(48)
    assert bank.shape == (VARIANTS, 96, 96)
    assert bank.max() == pytest.approx(0.9)
    assert (bank[:, 46:51, 46:51].max(axis=(1, 2)) > 0.8).all()
    assert bank[:, 0].max() == 0


def test_light_comes_from_above():
    shade = shading_bank(72)
    assert shade["lit"][0].mean() > 1.1
    assert shade["lit"][-1].mean() < 0.85
    assert shade["glow"][36, 36] == pytest.approx(0.55 * (1 - 2**0.5 / 72))  # half a pixel off
    assert shade["glow"][0, 0] == 0
    assert 0 <= shade["gloss"].min() <= shade["gloss"].max() <= 0.95


def test_backdrops_are_grey():
    bank = backdrop_bank()
    assert bank.shape == (4, 320, 320, 3)
    assert (bank[..., 0] == bank[..., 1]).all()
    assert (bank[..., 0] == bank[..., 2]).all()
    assert bank.mean(axis=(1, 2, 3)) == pytest.approx(np.full(4, 128), abs=2)

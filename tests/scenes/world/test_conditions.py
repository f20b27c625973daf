"""Condition words as weights inside a silhouette."""

import numpy as np
import pytest

from ovarnet.scenes.world.conditions import cracks, dirt, holes
from ovarnet.scenes.world.silhouettes import silhouette
from ovarnet.scenes.world.words import CATEGORIES

HEART = next(c for c in CATEGORIES if c.name == "heart")


@pytest.fixture
def shape():
    return silhouette(HEART, 96, 7.0)


@pytest.mark.parametrize("seed", range(3))
def test_weights_have_the_shape_of_the_silhouette_and_are_weights(shape, seed):
    rng = np.random.default_rng(seed)
    inner, rim = holes(shape, 96, rng)
    for weight in (cracks(shape, 96, rng), dirt(shape, 96, rng), inner, rim):
        assert weight.shape == shape.distance.shape
        assert weight.min() >= 0
        assert weight.max() <= 1


def test_cracks_start_inside(shape):
    weight = cracks(shape, 96, np.random.default_rng(0))
    assert (weight[shape.distance > 0] > 0.5).sum() > 20


def test_holes_lie_inside_their_rims(shape):
    inner, rim = holes(shape, 96, np.random.default_rng(0))
    assert (inner > 0.5).sum() > 50
    assert (rim[inner > 0.5] >= 0.6).all()
    assert (rim > 0.5).sum() > (inner > 0.5).sum()

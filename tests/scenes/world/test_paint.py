from dataclasses import replace

import numpy as np
import pytest

from ovarnet.scenes.world.paint import COLORS, paint
from ovarnet.scenes.world.place import cut_out
from ovarnet.scenes.world.things import Thing
from ovarnet.scenes.world.words import CATEGORIES

HEART = next(c for c in CATEGORIES if c.name == "heart")
PLAIN = Thing(
    HEART, "blue", "plain", "matte", "large", "upright", frozenset(), length=84.0, angle=0.0
)


def painted(seed: int = 0, **changes):
    return paint(replace(PLAIN, **changes), np.random.default_rng(seed))


def area(sprite) -> int:
    return int((sprite.rgba[..., 3] > 127).sum())


@pytest.mark.parametrize("color", COLORS)
def test_colour_word_is_the_nearest_of_all_colours(color):
    sprite = painted(color=color, finish="shiny")
    middle = np.median(sprite.rgba[..., :3][sprite.rgba[..., 3] == 255].astype(float), axis=0)
    assert min(COLORS, key=lambda word: np.abs(middle - COLORS[word]).sum()) == color


def test_patterns_differ_from_plain_and_from_each_other():
    def contrast(word):
        grey = painted(pattern=word, finish="transparent").rgba[..., :3].mean(axis=-1)[30:60, 30:60]
        return (
            grey.std(),
            np.abs(np.diff(grey, axis=0)).mean(),
            np.abs(np.diff(grey, axis=1)).mean(),
        )

    plain = contrast("plain")
    for word in ("striped", "dotted", "checkered", "zigzag"):
        assert contrast(word)[0] > 3 * plain[0], word
    stripes = contrast("striped")
    assert max(stripes[1:]) > 5 * min(stripes[1:])  # along one axis only


def test_transparent_objects_let_the_background_through():
    alpha = painted(finish="transparent").rgba[..., 3]
    assert alpha.max() < 250
    assert np.median(alpha[alpha > 0]) < 0.45 * 255


def test_the_halo_of_a_glowing_object_is_not_the_object():
    sprite = painted(finish="glowing")
    halo = (sprite.rgba[..., 3] > 60) & (sprite.coverage == 0)
    assert halo.sum() > 0.2 * (sprite.coverage > 127).sum()
    box = cut_out(replace(PLAIN, finish="glowing"), np.random.default_rng(0)).extent
    assert box[2] - box[0] <= 1.08 * 84 + 2


def test_outline_grows_and_holes_shrink_the_object():
    assert area(painted(extras=frozenset({"outlined"}))) > 1.05 * area(painted())
    assert area(painted(extras=frozenset({"holed"}))) < 0.95 * area(painted())


def test_snow_lies_on_top_whatever_the_pose():
    for angle in (0.0, 180.0, 40.0):
        cutout = cut_out(
            replace(PLAIN, extras=frozenset({"snow covered"}), angle=angle),
            np.random.default_rng(1),
        )
        white = (cutout.rgba[..., :3] > 240).all(axis=-1) & cutout.mask
        rows = np.flatnonzero(cutout.mask.any(axis=1))
        upper, lower = np.array_split(white[rows[0] : rows[-1] + 1], 2)
        assert upper.sum() > 0.15 * cutout.area
        assert lower.sum() < 0.3 * upper.sum()


def test_length_and_angle_are_those_of_the_thing():
    wide = next(c for c in CATEGORIES if c.name == "fish")
    thing = replace(PLAIN, category=wide, pose=None, length=50.0, size="medium")
    x1, y1, x2, y2 = cut_out(thing, np.random.default_rng(0)).extent
    a1, b1, a2, b2 = cut_out(replace(thing, angle=90.0), np.random.default_rng(0)).extent
    assert 50 * 0.92 - 2 <= x2 - x1 <= 50 * 1.08 + 2
    assert x2 - x1 > y2 - y1
    assert (b2 - b1, a2 - a1) == pytest.approx((x2 - x1, y2 - y1), abs=1)

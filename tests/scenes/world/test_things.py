"""What objects are drawn: rates of their words, and what twins share."""

from collections import Counter

import numpy as np
import pytest

from ovarnet.scenes.world.things import (
    CONDITION_RATE,
    MOST_CONDITIONS,
    SAME_CATEGORY_RATE,
    SIZE_RATES,
    SIZES,
    Thing,
    draw_thing,
)
from ovarnet.scenes.world.words import ATTRIBUTES, CATEGORIES

MUG = next(c for c in CATEGORIES if c.name == "mug")


def draws(split="test", count=2000, previous=None, seed=0):
    rng = np.random.default_rng(seed)
    return [draw_thing(rng, split, previous) for _ in range(count)]


def test_words_of_a_thing_by_type():
    extras = frozenset({"outlined", "cracked", "dirty"})
    thing = Thing(MUG, "red", "striped", "matte", "medium", None, extras, 50.0, 0.0)
    assert thing.words == {
        "color": ("red",),
        "pattern": ("striped",),
        "finish": ("matte",),
        "size": (),
        "pose": (),
        "border": ("outlined",),
        "condition": ("cracked", "dirty"),
    }
    assert thing.attributes == {"red", "striped", "matte", "outlined", "cracked", "dirty"}


def test_rates_are_those_that_are_named():
    things = draws()
    sizes = Counter(thing.size for thing in things)
    assert {size: count / 2000 for size, count in sizes.items()} == pytest.approx(
        SIZE_RATES, abs=0.04
    )
    assert np.mean(["cracked" in thing.extras for thing in things]) == pytest.approx(
        CONDITION_RATE, abs=0.03
    )
    colors = Counter(thing.color for thing in things)
    assert set(colors) == set(ATTRIBUTES["color"])
    assert min(colors.values()) > 2000 / 11 * 0.7


def test_every_thing_is_drawable():
    for thing in draws():
        low, high = SIZES[thing.size]
        assert low <= thing.length <= high
        assert (thing.pose is None) == (not thing.category.has_pose)
        assert len(thing.extras & set(ATTRIBUTES["condition"])) <= MOST_CONDITIONS
        if thing.pose == "upside-down":
            assert 172 <= thing.angle <= 188
        if thing.pose == "tilted":
            assert 28 <= abs(thing.angle) <= 55


def test_novel_categories_are_rarer_in_training():
    shares = [
        np.mean([not thing.category.seen for thing in draws(split)]) for split in ("train", "test")
    ]
    assert shares == pytest.approx([0.10, 0.25], abs=0.03)


def test_a_twin_shares_the_category_of_the_object_before():
    before = Thing(MUG, "red", "striped", "glowing", "small", "upright", frozenset(), 30.0, 0.0)
    things = draws(previous=before)
    mugs = np.mean([thing.category is MUG for thing in things])
    assert mugs == pytest.approx(SAME_CATEGORY_RATE + 0.75 / 40, abs=0.03)

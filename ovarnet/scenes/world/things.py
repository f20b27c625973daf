"""What an object is before it is drawn: a category, its attribute words and its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from ovarnet.scenes.world.words import ATTRIBUTES, CATEGORIES, Category

Option = TypeVar("Option")

SIZES = {"small": (26.0, 37.0), "medium": (46.0, 60.0), "large": (70.0, 100.0)}
"""Longer side of the object in pixels of the scene. Medium carries no word, so small and large
never meet."""

SIZE_RATES = {"small": 0.3, "medium": 0.3, "large": 0.4}
POSE_RATES = {"upright": 0.5, "tilted": 0.27, "upside-down": 0.23}
PLAIN_RATE = 0.4
MATTE_RATE = 0.36
OUTLINED_RATE = 0.2
CONDITION_RATE = 0.12
MOST_CONDITIONS = 2
"""Rates of the words; what is not named here is uniform within its parent type. As on photos,
objects are mostly plain and upright: with uniform rates a small network needs twice as many
pictures to learn the categories."""

SAME_CATEGORY_RATE = 0.25
"""How often an object takes the category of the one before it, so that captions have plurals to
speak of."""

SHARED_ATTRIBUTE_RATE = 0.35
"""How often such an object also takes the colour, the pattern or the finish of the one before
it."""

NOVEL_SHARE = {"train": 0.10}
"""Share of novel objects where it is not uniform (10 of 40). As on the real benchmark, training
images may show novel objects, which carry no box there, and they are rarer than in the
evaluation."""


@dataclass(frozen=True)
class Thing:
    """One object.

    Attributes:
        category: What it is.
        color: An attribute word.
        pattern: An attribute word.
        finish: An attribute word.
        size: "small", "medium" (which is no attribute) or "large".
        pose: An attribute word, None where the category has no pose.
        extras: Border and condition words.
        length: Longer side in pixels.
        angle: In degrees, counter-clockwise.
    """

    category: Category
    color: str
    pattern: str
    finish: str
    size: str
    pose: str | None
    extras: frozenset[str]
    length: float
    angle: float

    @property
    def words(self) -> dict[str, tuple[str, ...]]:
        """Parent type -> the attribute words that are true of this object."""
        return {
            "color": (self.color,),
            "pattern": (self.pattern,),
            "finish": (self.finish,),
            "size": () if self.size == "medium" else (self.size,),
            "pose": () if self.pose is None else (self.pose,),
            "border": tuple(w for w in ATTRIBUTES["border"] if w in self.extras),
            "condition": tuple(w for w in ATTRIBUTES["condition"] if w in self.extras),
        }

    @property
    def attributes(self) -> frozenset[str]:
        """All attribute words that are true of this object."""
        return frozenset(word for words in self.words.values() for word in words)


def _pick(rates: dict[str, float], u: float) -> str:
    for word, rate in rates.items():
        if u < rate:
            return word
        u -= rate
    return word


def _uniform(options: Sequence[Option], u: float) -> Option:
    return options[int(u * len(options))]


_BASE = tuple(c for c in CATEGORIES if c.seen)
_NOVEL = tuple(c for c in CATEGORIES if not c.seen)


def _category(split: str, u: float, v: float) -> Category:
    share = NOVEL_SHARE.get(split, len(_NOVEL) / len(CATEGORIES))
    return _uniform(_NOVEL if u < share else _BASE, v)


def _angle(pose: str | None, u: float, v: float) -> float:
    """Degrees. Things without a pose are only jittered."""
    jitter = 16 * u - 8
    if pose is None:
        return 1.5 * jitter
    if pose == "tilted":
        return (28 + 27 * u) * (1 if v < 0.5 else -1)
    return jitter + (180 if pose == "upside-down" else 0)


def _extras(u: np.ndarray) -> frozenset[str]:
    """u: one uniform number for the border and one per condition word."""
    conditions = [
        w for w, x in zip(ATTRIBUTES["condition"], u[1:], strict=True) if x < CONDITION_RATE
    ]
    return frozenset(conditions[:MOST_CONDITIONS] + (["outlined"] if u[0] < OUTLINED_RATE else []))


def draw_thing(rng: np.random.Generator, split: str, previous: Thing | None = None) -> Thing:
    """Draw the words of one object.

    Args:
        rng: Random numbers.
        split: Decides the share of novel categories.
        previous: An object whose category, and one of whose attributes, may be shared.
    """
    u = rng.random(18).tolist()
    twin = previous if u[0] < SAME_CATEGORY_RATE else None
    category = twin.category if twin else _category(split, u[1], u[2])
    size = _pick(SIZE_RATES, u[3])
    low, high = SIZES[size]
    pose = _pick(POSE_RATES, u[4]) if category.has_pose else None
    pattern = "plain" if u[5] < PLAIN_RATE else _uniform(ATTRIBUTES["pattern"][1:], u[6])
    finish = (
        "matte"
        if u[8] < MATTE_RATE
        else _uniform(ATTRIBUTES["finish"][1:], (u[8] - MATTE_RATE) / (1 - MATTE_RATE))
    )
    thing = Thing(
        category=category,
        color=_uniform(ATTRIBUTES["color"], u[7]),
        pattern=pattern,
        finish=finish,
        size=size,
        pose=pose,
        extras=_extras(u[9:14]),
        length=low + (high - low) * u[14],
        angle=_angle(pose, u[15], u[16]),
    )
    if twin and u[0] < SAME_CATEGORY_RATE * SHARED_ATTRIBUTE_RATE:
        shared = _uniform(("color", "pattern", "finish"), u[17])
        thing = replace(thing, **{shared: getattr(twin, shared)})
    return thing

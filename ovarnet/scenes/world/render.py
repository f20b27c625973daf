"""Render whole scenes and close-up photos.

Deterministic: the same (seed, split, index) gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ovarnet.scenes.world.background import draw_background
from ovarnet.scenes.world.place import Cutout, Window, cut_out, paste, window
from ovarnet.scenes.world.things import Thing, draw_thing

SPLITS = ("train", "val", "test", "captions", "photos")
"""Each split has its own stream of random numbers."""

SIDES = (112, 209)
"""Range of a scene's height and width in pixels, drawn separately."""

COUNT_RATES = (0.14, 0.26, 0.26, 0.18, 0.10, 0.06)
"""How often a scene is given 1, 2, ... 6 objects (one that finds no place is left out)."""

LEAST_VISIBLE = 0.55
"""Least visible share of an object's own pixels, cut by the frame or covered by others."""

CONTEXT = (1.0, 1.5)
"""Side of a photo over the side of its object."""

BRIGHTNESS = (0.86, 1.06)
"""Range of the gain of a whole picture."""

_SHADOWS = (0.15, 0.5)
_TRIES = 5
_CENTRE_JITTER = 0.07
_NEIGHBOUR_RATE = 0.4  # photos that show a part of another object at the rim


@dataclass(frozen=True)
class SceneObject:
    """One visible object.

    Attributes:
        thing: Its words.
        box: x1, y1, x2, y2 in pixels, tight around its visible pixels.
        visible: Visible share of its own pixels, in (0, 1].
    """

    thing: Thing
    box: tuple[int, int, int, int]
    visible: float


@dataclass(frozen=True)
class Scene:
    """A rendered picture.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        objects: From back to front.
        owner: (H, W) int8, index of the object that is visible at each pixel, -1 for none.
    """

    image: np.ndarray
    objects: tuple[SceneObject, ...]
    owner: np.ndarray


def random_stream(seed: int, split: str, index: int, purpose: int = 0) -> np.random.Generator:
    """The random numbers of one picture.

    Args:
        seed: Of the world.
        split: Of the picture.
        index: Of the picture.
        purpose: 0 for its pixels; others (captions, dropped labels) do not disturb the pixels.
    """
    return np.random.default_rng([seed, SPLITS.index(split), index, purpose])


class _Stage:
    """A picture that objects are put into, one after the other, and which pixels each owns."""

    def __init__(self, image: np.ndarray):
        self.image = image
        self.owner = np.full(image.shape[:2], -1, np.int8)
        self.places: list[tuple[slice, slice]] = []
        self.areas: list[int] = []
        self.seen: list[int] = []
        self.things: list[Thing] = []

    def put(
        self,
        cutout: Cutout,
        left: int,
        top: int,
        shadow: float,
        least_visible: float = LEAST_VISIBLE,
    ) -> bool:
        """Paste an object unless it, or one that is there already, would be hidden too much.

        Returns:
            Whether it was pasted.
        """
        height, width = self.image.shape[:2]
        place = window(cutout, left, top, height, width)
        if place is None:
            return False
        mask = cutout.mask[place.cutout]
        inside = int(np.count_nonzero(mask))
        if inside == 0 or inside < least_visible * cutout.area:
            return False
        below = self.owner[place.picture]
        covered = [
            self._hidden(index, below, mask, place.picture) for index in range(len(self.things))
        ]
        if any(
            gone and seen - gone < LEAST_VISIBLE * area
            for seen, gone, area in zip(self.seen, covered, self.areas, strict=True)
        ):
            return False
        paste(self.image, cutout, left, top, place, shadow)
        np.copyto(below, len(self.things), where=mask)
        self.seen = [seen - gone for seen, gone in zip(self.seen, covered, strict=True)] + [inside]
        self.places.append(place.picture)
        self.areas.append(cutout.area)
        self.things.append(cutout.thing)
        return True

    def _hidden(
        self, index: int, below: np.ndarray, mask: np.ndarray, where: tuple[slice, slice]
    ) -> int:
        """Pixels of object `index` that `mask`, put at `where`, would cover."""
        if any(
            a.stop <= b.start or b.stop <= a.start
            for a, b in zip(where, self.places[index], strict=True)
        ):
            return 0
        return cv2.countNonZero(((below == index) & mask).view(np.uint8))

    def scene(self) -> Scene:
        """The picture with its objects and their boxes."""
        objects = []
        for index, thing in enumerate(self.things):
            rows, columns = self.places[index]
            mine = self.owner[rows, columns] == index
            x, y, w, h = cv2.boundingRect(mine.view(np.uint8))
            x, y = x + columns.start, y + rows.start
            objects.append(
                SceneObject(thing, (x, y, x + w, y + h), self.seen[index] / self.areas[index])
            )
        return Scene(self.image, tuple(objects), self.owner)


def _draw_things(rng: np.random.Generator, split: str) -> list[Thing]:
    """The objects of a scene, roughly large before small, so that small ones stay visible."""
    count = 1 + int(np.searchsorted(np.cumsum(COUNT_RATES), rng.random() * sum(COUNT_RATES)))
    things: list[Thing] = []
    for _ in range(count):
        things.append(draw_thing(rng, split, things[-1] if things else None))
    order = np.argsort(
        [
            -thing.length * factor
            for thing, factor in zip(things, rng.uniform(0.6, 1.4, count), strict=True)
        ],
        kind="stable",
    )
    return [things[i] for i in order]


def render_scene(seed: int, split: str, index: int) -> Scene:
    """One scene of 1 to 6 objects."""
    rng = random_stream(seed, split, index)
    height, width = rng.integers(*SIDES, 2).tolist()
    gain, shadow = rng.uniform(*BRIGHTNESS), rng.uniform(*_SHADOWS)
    stage = _Stage(draw_background(height, width, rng, gain))
    for thing in _draw_things(rng, split):
        cutout = cut_out(thing, rng, gain)
        x1, y1, x2, y2 = cutout.extent
        for u, v in rng.random((_TRIES, 2)).tolist():
            slack = 0.12 * thing.length  # how far an object may leave the frame
            left = -slack + u * (width - (x2 - x1) + 2 * slack) - x1
            top = -slack + v * (height - (y2 - y1) + 2 * slack) - y1
            if stage.put(cutout, round(left), round(top), shadow):
                break
    return stage.scene()


def render_photo(seed: int, index: int) -> Scene:
    """A close-up of one object, which is `objects[0]`; parts of another may show at the rim.

    Small objects give small pictures.
    """
    rng = random_stream(seed, "photos", index)
    gain, shadow = rng.uniform(*BRIGHTNESS), rng.uniform(*_SHADOWS)
    main = cut_out(draw_thing(rng, "photos"), rng, gain)
    x1, y1, x2, y2 = main.extent
    width, height = (max(16, round(side * rng.uniform(*CONTEXT))) for side in (x2 - x1, y2 - y1))
    u = rng.uniform(-_CENTRE_JITTER, _CENTRE_JITTER, 2)
    left, top = (
        round(width * (0.5 + u[0]) - (x1 + x2) / 2),
        round(height * (0.5 + u[1]) - (y1 + y2) / 2),
    )
    stage = _Stage(draw_background(height, width, rng, gain))
    neighbour = _neighbour(rng, width, height) if rng.random() < _NEIGHBOUR_RATE else None
    if neighbour is not None and rng.random() < 0.5:
        cutout, x, y, place = neighbour
        paste(stage.image, cutout, x, y, place, shadow)
        neighbour = None
    stage.put(main, left, top, shadow, least_visible=0)
    if neighbour is not None:
        cutout, x, y, _ = neighbour
        stage.put(cutout, x, y, shadow, least_visible=0)
    return stage.scene()


def _neighbour(
    rng: np.random.Generator, width: int, height: int
) -> tuple[Cutout, int, int, Window] | None:
    """Another object with its centre on the rim, and its place; None if it misses the picture."""
    cutout = cut_out(draw_thing(rng, "photos"), rng)
    h, w = cutout.mask.shape
    direction = rng.uniform(0, 2 * np.pi)
    left, top = (
        round(width / 2 + 0.75 * width * np.cos(direction) - w / 2),
        round(height / 2 + 0.75 * height * np.sin(direction) - h / 2),
    )
    place = window(cutout, left, top, height, width)
    return None if place is None else (cutout, left, top, place)

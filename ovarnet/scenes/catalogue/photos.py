"""Photos of a drawn product: one object on near-white, a tint, or a muted gradient."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ovarnet.scenes.catalogue.words import ProductWords
from ovarnet.scenes.world.place import cut_out, paste, window
from ovarnet.scenes.world.things import Thing

LENGTHS = (70.0, 100.0)
"""Longer side of the object, pixels."""
MARGINS = (0.15, 0.45)
"""Room on each side of the object, as a share of its longer side."""
BACKGROUNDS = {"near-white": 0.8, "tint": 0.1, "gradient": 0.1}
SHADOWS = (0.0, 0.2)
JITTER = 8
"""Largest angle of an object, degrees."""
SECOND_VIEW = 0.4
"""How often a product has a second photo."""


@dataclass(frozen=True)
class ProductPhoto:
    """A photo and where the product is on it.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        box: x1, y1, x2, y2 in pixels, tight around the object without its shadow.
    """

    image: np.ndarray
    box: tuple[int, int, int, int]


def product_photos(words: ProductWords, seed: int, index: int) -> list[ProductPhoto]:
    """The one or two photos of a product.

    Args:
        words: What it is.
        seed: Of the catalogue.
        index: Of the product.
    """
    views = 1 + int(np.random.default_rng([seed, 3, index]).random() < SECOND_VIEW)
    return [
        draw_photo(words, np.random.default_rng([seed, 4, index, view])) for view in range(views)
    ]


def draw_photo(words: ProductWords, rng: np.random.Generator) -> ProductPhoto:
    """Draw one photo."""
    u = rng.random(6).tolist()
    length = LENGTHS[0] + (LENGTHS[1] - LENGTHS[0]) * u[0]
    cutout = cut_out(_thing(words, length, JITTER * (2 * u[1] - 1)), rng)
    x1, y1, x2, y2 = cutout.extent
    rooms = [MARGINS[0] + (MARGINS[1] - MARGINS[0]) * share for share in rng.random(4)]
    left, top, right, bottom = (round(room * length) for room in rooms)
    width, height = x2 - x1 + left + right, y2 - y1 + top + bottom
    image = _background(height, width, rng)
    place = window(cutout, left - x1, top - y1, height, width)
    assert place is not None
    shadow = SHADOWS[0] + (SHADOWS[1] - SHADOWS[0]) * u[2]
    paste(image, cutout, left - x1, top - y1, place, shadow)
    return ProductPhoto(image, (left, top, left + x2 - x1, top + y2 - y1))


def _thing(words: ProductWords, length: float, angle: float) -> Thing:
    labels = words.labels
    extras = frozenset(filter(None, (labels["border"], labels["condition"])))
    pose = "upright" if words.category.has_pose else None
    color, pattern, finish = labels["color"], labels["pattern"], labels["finish"]
    return Thing(words.category, color, pattern, finish, "large", pose, extras, length, angle)


def _background(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    kind = rng.choice(list(BACKGROUNDS), p=list(BACKGROUNDS.values()))
    if kind == "gradient":
        corners = rng.integers(150, 235, (2, 2, 3)).astype(np.uint8)
        return cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    low, high = (244, 256) if kind == "near-white" else (190, 240)
    colour = rng.integers(low, high, 3 if kind == "tint" else 1)
    return np.full((height, width, 3), colour, np.uint8)

"""Put a painted object into a picture: size, pose, snow, contact shadow, blending."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import ceil, cos, radians, sin

import cv2
import numpy as np

from ovarnet.scenes.world.paint import SIDES, paint
from ovarnet.scenes.world.silhouettes import CANVAS, GLYPH
from ovarnet.scenes.world.textures import VARIANTS, noise_bank
from ovarnet.scenes.world.things import Thing

_SNOW = (246, 251, 252, 255)


@dataclass(frozen=True)
class Cutout:
    """An object in its final size and pose.

    Attributes:
        thing: Its words.
        rgba: (h, w, 4) uint8.
        mask: (h, w) bool, where the object itself is, without halo and shadow.
        extent: x1, y1, x2, y2 of the mask in the cut-out.
        area: Pixels of the mask, at least 1.
    """

    thing: Thing
    rgba: np.ndarray
    mask: np.ndarray
    extent: tuple[int, int, int, int]
    area: int


def _matrix(
    thing: Thing, height: int, width: int, stretch: float, mirrored: bool
) -> tuple[np.ndarray, tuple[int, int]]:
    """The affine matrix (2, 3) from a sprite to its cut-out, and the cut-out's (width, height)."""
    scale = thing.length / (GLYPH * SIDES[thing.size] / CANVAS)
    cosine, sine = cos(radians(thing.angle)), sin(radians(thing.angle))
    x_scale, y_scale = (-scale if mirrored else scale) * stretch, scale / stretch
    a, b, c, d = cosine * x_scale, sine * y_scale, -sine * x_scale, cosine * y_scale
    new_width, new_height = (
        ceil(abs(a) * width + abs(b) * height),
        ceil(abs(c) * width + abs(d) * height),
    )
    x, y = (width - 1) / 2, (height - 1) / 2
    return np.array(
        [[a, b, (new_width - 1) / 2 - a * x - b * y], [c, d, (new_height - 1) / 2 - c * x - d * y]]
    ), (new_width, new_height)


def _snow(rgba: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> None:
    """Lay a white cap with a ragged lower edge on the top of every column, in place.

    Args:
        rgba: (height, width, 4) uint8.
        mask: (height, width) uint8 of 0 / 1.
        rng: Random numbers.
    """
    height, width = mask.shape
    solid = mask.view(bool)
    x, _, across, along = cv2.boundingRect(mask)
    extent = max(across, along)
    noise = noise_bank(7, 48)[int(rng.random() * VARIANTS), int(rng.random() * 48)]
    ragged = np.interp((np.arange(width) - x) * (40 / extent), np.arange(48), noise)
    top = np.where(solid.any(axis=0), solid.argmax(axis=0), height + extent)
    depth = extent * np.clip(0.17 + 0.06 * ragged, 0.07, 0.3)
    over = max(1, round(0.025 * extent))
    row = np.arange(height)[:, None]
    cap = (row >= top - over) & (row < top + depth) & (solid | (row < top))
    rgba[cap] = _SNOW
    mask[cap] = 1


def cut_out(thing: Thing, rng: np.random.Generator, gain: float = 1.0) -> Cutout:
    """Paint an object and bring it into its final size and pose.

    Args:
        thing: The words of the object.
        rng: Random numbers; they also vary aspect and brightness a little.
        gain: Brightness of the picture.
    """
    u = rng.random(3).tolist()
    sprite = paint(thing, rng, gain * (0.92 + 0.16 * u[0]))
    height, width = sprite.rgba.shape[:2]
    matrix, size = _matrix(thing, height, width, 0.92 + 0.16 * u[1], mirrored=u[2] < 0.5)
    rgba = cv2.warpAffine(sprite.rgba, matrix, size, flags=cv2.INTER_LINEAR)
    coverage = (
        cv2.extractChannel(rgba, 3)
        if sprite.coverage is None
        else cv2.warpAffine(sprite.coverage, matrix, size)
    )
    mask = cv2.threshold(coverage, 255 * sprite.solid, 1, cv2.THRESH_BINARY)[1]
    if "snow covered" in thing.extras:
        _snow(rgba, mask, rng)
    x, y, w, h = cv2.boundingRect(mask)
    return Cutout(thing, rgba, mask.view(bool), (x, y, x + w, y + h), cv2.countNonZero(mask))


@dataclass(frozen=True)
class Window:
    """The overlap of a placed cut-out and a picture, as slices into each of them."""

    picture: tuple[slice, slice]
    cutout: tuple[slice, slice]


def window(cutout: Cutout, left: int, top: int, height: int, width: int) -> Window | None:
    """The overlap with a height x width picture, or None where there is none."""
    h, w = cutout.mask.shape
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + w, width), min(top + h, height)
    if x2 <= x1 or y2 <= y1:
        return None
    return Window(
        (slice(y1, y2), slice(x1, x2)), (slice(y1 - top, y2 - top), slice(x1 - left, x2 - left))
    )


@cache
def _shadow_sprite() -> np.ndarray:
    """(32, 64, 3) uint8, 255 where the shadow is deepest."""
    y, x = np.mgrid[-1:1:32j, -1:1:64j]
    shade = np.clip(255 - 255 * np.hypot(x, y), 0, 255).astype(np.uint8)
    return cv2.merge([shade, shade, shade])


def _cast_shadow(image: np.ndarray, cutout: Cutout, left: int, top: int, strength: float) -> None:
    """Darken an ellipse under the object's lower edge, in place."""
    x1, _, x2, y2 = cutout.extent
    width, height = int(1.15 * (x2 - x1)) + 2, int(0.22 * (x2 - x1)) + 3
    x, y = left + (x1 + x2 - width) // 2, top + y2 - int(0.6 * height)
    a, b, c, d = (
        max(x, 0),
        max(y, 0),
        min(x + width, image.shape[1]),
        min(y + height, image.shape[0]),
    )
    if c <= a or d <= b:
        return
    kept = cv2.resize(
        cv2.convertScaleAbs(_shadow_sprite(), alpha=-strength, beta=255), (width, height)
    )
    image[b:d, a:c] = cv2.multiply(
        image[b:d, a:c], kept[b - y : d - y, a - x : c - x], scale=1 / 255
    )


def paste(
    image: np.ndarray, cutout: Cutout, left: int, top: int, place: Window, shadow: float
) -> None:
    """Blend a cut-out into a picture, in place.

    Args:
        image: (H, W, 3) uint8 RGB.
        cutout: The object.
        left: Of the cut-out in the picture.
        top: Of the cut-out in the picture.
        place: Where they overlap.
        shadow: Strength of the contact shadow, in [0, 1].
    """
    _cast_shadow(image, cutout, left, top, shadow)
    rgba = cutout.rgba[place.cutout]
    weight = cv2.extractChannel(rgba, 3) * np.float32(1 / 255)
    image[place.picture] = cv2.blendLinear(
        cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), image[place.picture], weight, 1 - weight
    )

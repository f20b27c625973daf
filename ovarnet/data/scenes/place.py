"""Puts a painted object into a picture: size, pose, snow, contact shadow, blending."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import ceil, cos, radians, sin

import cv2
import numpy as np

from ovarnet.data.scenes.paint import paint
from ovarnet.data.scenes.silhouettes import CANVAS, GLYPH, silhouette
from ovarnet.data.scenes.textures import VARIANTS, noise_bank
from ovarnet.data.scenes.things import Thing

_SNOW = (246, 251, 252, 255)
_MARGIN, _HALO_MARGIN = 7.0, CANVAS / 2 - GLYPH / 2  # room around the glyph for outline or frayed edge, and for a halo; canvas units


@dataclass(frozen=True)
class Cutout:
    """An object in its final size and pose. rgba: (h, w, 4) uint8. mask: (h, w) bool, where the object itself is (no halo, no shadow).
    extent: (x1, y1, x2, y2) of the mask in the cut-out. area: pixels of the mask, at least 1."""

    thing: Thing
    rgba: np.ndarray
    mask: np.ndarray
    extent: tuple[int, int, int, int]
    area: int


def _matrix(thing: Thing, side: int, stretch: float, mirrored: bool) -> tuple[np.ndarray, int, int]:
    """Affine matrix (2, 3) from the sprite's pixels to the cut-out's, and the cut-out's width and height."""
    scale = thing.length / GLYPH
    cosine, sine = cos(radians(thing.angle)), sin(radians(thing.angle))
    x_scale, y_scale = scale * stretch, scale / stretch
    margin = _HALO_MARGIN if thing.finish == "glowing" else _MARGIN
    half_x, half_y = silhouette(thing.category, side).extent
    half_x, half_y = (half_x + margin) * x_scale, (half_y + margin) * y_scale
    width = 2 * ceil(abs(cosine) * half_x + abs(sine) * half_y)
    height = 2 * ceil(abs(sine) * half_x + abs(cosine) * half_y)
    x_unit, y_unit = CANVAS / side * (-x_scale if mirrored else x_scale), CANVAS / side * y_scale
    a, b, c, d = cosine * x_unit, sine * y_unit, -sine * x_unit, cosine * y_unit
    middle = (side - 1) / 2
    matrix = np.array([[a, b, (width - 1) / 2 - (a + b) * middle], [c, d, (height - 1) / 2 - (c + d) * middle]])
    return matrix, width, height


def _snow(rgba: np.ndarray, coverage: np.ndarray, rng: np.random.Generator) -> None:
    """Lay a white cap with a ragged lower edge on the top of every column, in place."""
    height, width = coverage.shape
    solid = coverage > 127
    x, _, across, along = cv2.boundingRect(solid.view(np.uint8))
    extent = max(across, along)
    noise = noise_bank(7, 48)[int(rng.random() * VARIANTS), int(rng.random() * 48)]
    ragged = np.interp((np.arange(width) - x) * (40 / extent), np.arange(48), noise)
    top = np.where(solid.any(axis=0), solid.argmax(axis=0), height + extent)
    depth = extent * np.clip(0.17 + 0.06 * ragged, 0.07, 0.3)
    over = max(1, round(0.025 * extent))
    row = np.arange(height)[:, None]
    cap = (row >= top - over) & (row < top + depth) & (solid | (row < top))
    rgba[cap] = _SNOW
    coverage[cap] = 255


def cut_out(thing: Thing, rng: np.random.Generator, gain: float = 1.0) -> Cutout:
    """Paint `thing` and turn it into its final size and pose, with some jitter of its aspect and brightness. gain: of the picture."""
    u = rng.random(3).tolist()
    sprite = paint(thing, rng, gain * (0.92 + 0.16 * u[0]))
    matrix, width, height = _matrix(thing, len(sprite.rgba), 0.92 + 0.16 * u[1], mirrored=u[2] < 0.5)
    rgba = cv2.warpAffine(sprite.rgba, matrix, (width, height), flags=cv2.INTER_LINEAR)
    if sprite.coverage is None:
        coverage = cv2.extractChannel(rgba, 3)
    else:
        coverage = cv2.warpAffine(sprite.coverage, matrix, (width, height), flags=cv2.INTER_LINEAR)
    if "snow covered" in thing.extras:
        _snow(rgba, coverage, rng)
    mask = cv2.threshold(coverage, 127, 1, cv2.THRESH_BINARY)[1]
    x, y, w, h = cv2.boundingRect(mask)
    return Cutout(thing, rgba, mask.view(bool), (x, y, x + w, y + h), cv2.countNonZero(mask))


@dataclass(frozen=True)
class Window:
    """Where a cut-out placed at (left, top) and a picture overlap: slices into the picture and into the cut-out."""

    picture: tuple[slice, slice]
    cutout: tuple[slice, slice]


def window(cutout: Cutout, left: int, top: int, height: int, width: int) -> Window | None:
    """The overlap with a height x width picture, or None where there is none."""
    h, w = cutout.mask.shape
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + w, width), min(top + h, height)
    if x2 <= x1 or y2 <= y1:
        return None
    return Window((slice(y1, y2), slice(x1, x2)), (slice(y1 - top, y2 - top), slice(x1 - left, x2 - left)))


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
    a, b, c, d = max(x, 0), max(y, 0), min(x + width, image.shape[1]), min(y + height, image.shape[0])
    if c <= a or d <= b:
        return
    kept = cv2.resize(cv2.convertScaleAbs(_shadow_sprite(), alpha=-strength, beta=255), (width, height))
    image[b:d, a:c] = cv2.multiply(image[b:d, a:c], kept[b - y : d - y, a - x : c - x], scale=1 / 255)


def paste(image: np.ndarray, cutout: Cutout, left: int, top: int, place: Window, shadow: float) -> None:
    """Blend the cut-out into the uint8 RGB picture, in place. shadow: strength of its contact shadow in [0, 1]."""
    _cast_shadow(image, cutout, left, top, shadow)
    rgba = cutout.rgba[place.cutout]
    weight = cv2.extractChannel(rgba, 3) * np.float32(1 / 255)
    image[place.picture] = cv2.blendLinear(cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), image[place.picture], weight, 1 - weight)

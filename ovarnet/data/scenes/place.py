"""Puts a painted object into a picture: size, pose, snow, contact shadow, blending."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from ovarnet.data.scenes.paint import Sprite, paint
from ovarnet.data.scenes.silhouettes import CANVAS, GLYPH, silhouette
from ovarnet.data.scenes.textures import VARIANTS, noise_bank
from ovarnet.data.scenes.things import Thing

_HALF_BELOW = 0.55  # scales below this start from a half-size sprite: warpAffine alone would alias the patterns
_MARGIN = CANVAS / 2 - GLYPH / 2  # room for outline and halo around the glyph


@dataclass(frozen=True)
class Cutout:
    """An object in its final size and pose. rgb: (h, w, 3) uint8. opacity: (h, w) float32 in [0, 1]. mask: (h, w) bool, where the object
    itself is (no halo, no shadow). extent: (x1, y1, x2, y2) of the mask in the cut-out; area: its pixels, at least 1."""

    thing: Thing
    rgb: np.ndarray
    opacity: np.ndarray
    mask: np.ndarray
    extent: tuple[int, int, int, int]
    area: int


def _snow(rgb: np.ndarray, coverage: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Lay a white cap with a ragged lower edge on the top of every column. Returns the new rgb and coverage."""
    height, width = coverage.shape
    solid = coverage > 127
    top = solid.argmax(axis=0)
    filled = solid.any(axis=0)
    extent = max(1, int(filled.sum()), int(solid.any(axis=1).sum()))
    noise = noise_bank(7)[rng.integers(VARIANTS), rng.integers(CANVAS)]
    ragged = np.interp(np.arange(width) * (CANVAS / (1.2 * extent)), np.arange(CANVAS), noise)
    depth = extent * np.clip(0.17 + 0.06 * ragged, 0.07, 0.3)
    row = np.arange(height)[:, None]
    over = max(1, round(0.025 * extent))
    cap = (row >= top - over) & (row < top + depth) & filled & (solid | (row < top))
    shade = 255 - 26 * np.clip((row - top + over) / (depth + over), 0, 1)
    rgb = rgb.copy()
    rgb[cap] = np.stack([shade - 6, shade, shade], axis=-1)[cap].astype(np.uint8)
    return rgb, np.where(cap, 255, coverage).astype(np.uint8)


def _matrix(thing: Thing, scale_x: float, scale_y: float) -> tuple[np.ndarray, int, int]:
    """Canvas -> cut-out affine matrix (2, 3), and the cut-out's width and height, which leave room for outline and halo."""
    radians = np.deg2rad(thing.angle)
    cos, sin = np.cos(radians), np.sin(radians)
    linear = np.array([[cos * scale_x, sin * scale_y], [-sin * scale_x, cos * scale_y]])
    half = np.abs(linear) @ (np.array(silhouette(thing.category).extent) + _MARGIN)
    width, height = (2 * np.ceil(half)).astype(int).tolist()
    offset = np.array([width / 2, height / 2]) - linear @ np.array([CANVAS / 2, CANVAS / 2])
    return np.hstack([linear, offset[:, None]]), width, height


def _warp(sprite: Sprite, matrix: np.ndarray, width: int, height: int, scale: float) -> list[np.ndarray]:
    """rgb, opacity and coverage of the sprite in the cut-out's frame, uint8."""
    layers = [np.dstack([sprite.rgb, sprite.opacity]), sprite.coverage]
    if scale < _HALF_BELOW:
        half = CANVAS // 2
        layers = [cv2.resize(layer, (half, half), interpolation=cv2.INTER_AREA) for layer in layers]
        linear = matrix[:, :2]  # half-size pixel i lies at 2i + 0.5 of the full canvas
        matrix = np.hstack([2 * linear, matrix[:, 2:] + 0.5 * linear.sum(axis=1, keepdims=True)])
    colored, coverage = (cv2.warpAffine(layer, matrix, (width, height), flags=cv2.INTER_LINEAR) for layer in layers)
    return [colored[..., :3], colored[..., 3], coverage]


def cut_out(thing: Thing, rng: np.random.Generator) -> Cutout:
    """Paint `thing` and turn it into its final size and pose, with some jitter of its aspect and brightness."""
    sprite = paint(thing, rng)
    scale = thing.length / GLYPH
    stretch = rng.uniform(0.92, 1.08)
    matrix, width, height = _matrix(thing, scale * stretch, scale / stretch)
    rgb, opacity, coverage = _warp(sprite, matrix, width, height, scale)
    if "snow covered" in thing.extras:
        rgb, capped = _snow(rgb, coverage, rng)
        opacity, coverage = np.where(capped > coverage, capped, opacity), capped
        opacity = np.where((rgb[..., 1] >= 225) & (capped == 255), 255, opacity)
    gain = rng.uniform(0.9, 1.08)
    rgb = cv2.convertScaleAbs(rgb, alpha=gain)
    mask = coverage > 127
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    extent = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return Cutout(thing, rgb, opacity.astype(np.float32) / 255, mask, extent, int(np.count_nonzero(mask)))


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


@lru_cache(maxsize=1)
def _shadow_sprite() -> np.ndarray:
    y, x = np.mgrid[-1:1:32j, -1:1:64j]
    return np.clip(1 - np.hypot(x, y), 0, 1).astype(np.float32)


def _cast_shadow(image: np.ndarray, cutout: Cutout, left: int, top: int, strength: float) -> None:
    """Darken an ellipse under the object's lower edge, in place."""
    x1, _, x2, y2 = cutout.extent
    width, height = int(1.15 * (x2 - x1)) + 2, int(0.22 * (x2 - x1)) + 3
    x, y = left + (x1 + x2 - width) // 2, top + y2 - int(0.6 * height)
    a, b, c, d = max(x, 0), max(y, 0), min(x + width, image.shape[1]), min(y + height, image.shape[0])
    if c <= a or d <= b:
        return
    shade = cv2.resize(_shadow_sprite(), (width, height))[b - y : d - y, a - x : c - x]
    part = image[b:d, a:c]
    part[:] = part * (1 - strength * shade)[..., None]


def paste(image: np.ndarray, cutout: Cutout, left: int, top: int, place: Window, shadow: float) -> None:
    """Blend the cut-out into the uint8 RGB picture, in place. shadow: strength of its contact shadow in [0, 1]."""
    _cast_shadow(image, cutout, left, top, shadow)
    part = image[place.picture]
    opacity = cutout.opacity[place.cutout]
    image[place.picture] = cv2.blendLinear(np.ascontiguousarray(cutout.rgb[place.cutout]), np.ascontiguousarray(part),
                                           np.ascontiguousarray(opacity), np.ascontiguousarray(1 - opacity))

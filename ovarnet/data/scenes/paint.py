"""Paints one object on a square canvas: its colour, pattern, finish, border and condition. Size and pose come later, when it is placed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ovarnet.data.scenes.conditions import cracks, dirt, holes
from ovarnet.data.scenes.silhouettes import CANVAS, silhouette
from ovarnet.data.scenes.textures import VARIANTS, noise_bank, pattern_bank, shading_bank
from ovarnet.data.scenes.things import Thing

COLORS: dict[str, tuple[int, int, int]] = {
    "red": (206, 30, 34), "orange": (244, 130, 20), "yellow": (246, 220, 40), "green": (42, 150, 58), "blue": (40, 84, 208),
    "purple": (122, 48, 168), "pink": (248, 148, 190), "brown": (116, 70, 36), "gray": (130, 130, 132), "black": (26, 26, 28),
    "white": (246, 246, 244),
}
"""RGB of the colour words."""

SIDES = {"small": 48, "medium": 72, "large": 96}
"""Pixels of the canvas by size of the object: about what it will have in the picture, so that shrinking it does not alias its pattern."""

HALO = 13.0
"""Reach of the glow in canvas units."""

OUTLINE = 5.0
"""Width of the outline in canvas units; half of it lies outside the silhouette."""

_SPREAD = 9  # RGB jitter of a colour
_GRAIN = 0.22  # strength of the grain of a fuzzy surface
_RAGGED = ((5, 1.9), (2, 1.1))  # grain and strength of the noises that fray a fuzzy edge, in canvas units
_MUD, _DUST = (70, 56, 34), (158, 138, 104)


@dataclass(frozen=True)
class Sprite:
    """A painted object. rgba: (side, side, 4) uint8; alpha is what is blended. coverage: (side, side) uint8 of 0..255, where the object
    itself is (what a box is drawn around): more than alpha where it is transparent, less where it has a halo; None where both agree."""

    rgba: np.ndarray
    coverage: np.ndarray | None


def _any(bank: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return bank[int(rng.random() * VARIANTS)]


def _mix(rgb: np.ndarray, weight: np.ndarray, target) -> None:
    """Blend the (3, S, S) picture towards a colour with an (S, S) weight, in place."""
    for plane, level in zip(rgb, target, strict=True):
        plane += weight * (np.float32(level) - plane)


def _second_tint(base: np.ndarray, luminance: float, u: float) -> np.ndarray:
    """The other colour of a pattern: near white on dark colours, a dark shade on light ones, so that a pattern is seen in grey as well."""
    lighter = luminance < 0.35 or (luminance < 0.55 and u < 0.5)
    if lighter:
        return base + np.float32(0.62 if luminance < 0.2 else 0.78) * (252 - base)
    return base * np.float32(0.36)


def _body(thing: Thing, base: np.ndarray, luminance: float, side: int, rng: np.random.Generator) -> np.ndarray:
    """Colour and pattern: (3, S, S) float32."""
    rgb = np.empty((3, side, side), np.float32)
    if thing.pattern == "plain":
        rgb[:] = base[:, None, None]
        return rgb
    contrast = (_second_tint(base, luminance, rng.random()) - base) * np.float32(0.8 if thing.finish == "matte" else 1)
    np.multiply.outer(contrast, _any(pattern_bank(thing.pattern, side), rng), out=rgb)
    rgb += base[:, None, None]
    return rgb


def _finish(thing: Thing, rgb: np.ndarray, distance: np.ndarray, rng: np.random.Generator) -> None:
    """The surface, in place. Matte is flat and chalky; fuzzy is grainy; the others are lit from above."""
    side = len(distance)
    shade = shading_bank(side)
    if thing.finish == "matte":
        chalk = np.clip(0.16 + 0.20 * _any(noise_bank(14, side), rng), 0, 0.55)
        return _mix(rgb, chalk, (196, 194, 188))
    if thing.finish == "fuzzy":
        rgb *= 1 + _GRAIN * _any(noise_bank(2, side), rng)
        return None
    if thing.finish == "shiny":
        rgb *= shade["lit"] * np.clip(0.72 + distance / 18, 0, 1)
        return _mix(rgb, shade["gloss"], (255, 255, 255))
    rgb *= shade["lit"]
    return _mix(rgb, shade["glow"], (255, 255, 235)) if thing.finish == "glowing" else None


def paint(thing: Thing, rng: np.random.Generator, gain: float = 1.0) -> Sprite:
    """Paint `thing` upright on the canvas (snow comes later: it falls on what is up in the picture). gain: brightness."""
    side = SIDES[thing.size]
    pixel = side / CANVAS
    shape = silhouette(thing.category, side)
    distance, detail = shape.distance, shape.detail
    if thing.finish == "fuzzy":
        for grain, strength in _RAGGED:
            distance = distance + strength * _any(noise_bank(grain, side), rng)
    base = (COLORS[thing.color] + rng.uniform(-_SPREAD, _SPREAD, 3)).astype(np.float32)
    luminance = float(0.299 * base[0] + 0.587 * base[1] + 0.114 * base[2]) / 255

    rgb = _body(thing, base, luminance, side, rng)
    if detail is not None:
        _mix(rgb, detail, base * 0.3 if luminance > 0.3 else base + 0.55 * (255 - base))
    _finish(thing, rgb, distance, rng)
    grown = distance
    if "outlined" in thing.extras:
        _mix(rgb, np.clip((OUTLINE / 2 - distance) * pixel + 0.5, 0, 1), (250, 250, 245) if luminance < 0.42 else (16, 16, 22))
        grown = distance + OUTLINE / 2
    if "cracked" in thing.extras:
        _mix(rgb, cracks(shape, side, rng), (10, 8, 8) if luminance > 0.25 else (215, 212, 205))
    if "dirty" in thing.extras:
        _mix(rgb, dirt(side, rng), _MUD if luminance > 0.33 else _DUST)
    coverage = np.clip(grown * pixel + 0.5, 0, 1)
    if "holed" in thing.extras:
        hole, rim = holes(shape, side, rng)
        _mix(rgb, rim, (8, 8, 8) if luminance > 0.2 else (120, 120, 120))
        coverage *= 1 - hole
    opacity = _opacity(thing, rgb, distance, coverage, base)
    planes = [*rgb, opacity * np.float32(255 / gain)]
    rgba = cv2.convertScaleAbs(cv2.merge(planes), alpha=gain)
    return Sprite(rgba, None if opacity is coverage else cv2.convertScaleAbs(coverage, alpha=255))


def _opacity(thing: Thing, rgb: np.ndarray, distance: np.ndarray, coverage: np.ndarray, base: np.ndarray) -> np.ndarray:
    """What is blended of each pixel, in [0, 1]: `coverage` itself but for transparent and glowing objects. Colours the halo in `rgb`."""
    if thing.finish == "transparent":
        return coverage * np.clip(0.92 - distance / 9, 0.36, 0.92)
    if thing.finish == "glowing":
        outside = distance < 0
        halo = np.clip(1.15 * np.exp((distance + 1) * (2.0 / HALO)) - 0.15, 0, 0.85) * outside
        _mix(rgb, (1 - coverage) * outside, base + 0.5 * (np.float32((255, 255, 225)) - base))
        return np.maximum(coverage, halo)
    return coverage

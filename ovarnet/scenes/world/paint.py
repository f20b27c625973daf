"""Paint one object on a square canvas: colour, pattern, finish, border, condition.

Size and pose come later, when it is placed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ovarnet.scenes.world import silhouettes
from ovarnet.scenes.world.conditions import cracks, dirt, holes
from ovarnet.scenes.world.silhouettes import CANVAS, Silhouette, silhouette
from ovarnet.scenes.world.textures import VARIANTS, noise_bank, pattern_bank, shading_bank
from ovarnet.scenes.world.things import Thing

COLORS: dict[str, tuple[int, int, int]] = {
    "red": (206, 30, 34),
    "orange": (244, 130, 20),
    "yellow": (246, 220, 40),
    "green": (42, 150, 58),
    "blue": (40, 84, 208),
    "purple": (122, 48, 168),
    "pink": (248, 148, 190),
    "brown": (116, 70, 36),
    "gray": (130, 130, 132),
    "black": (26, 26, 28),
    "white": (246, 246, 244),
}
"""RGB of the colour words."""

SIDES = dict(zip(("small", "medium", "large"), silhouettes.SIDES, strict=True))
"""Pixels of the canvas by size of the object: about what it will have in the picture, so that
shrinking it does not alias its pattern."""

HALO = 13.0
"""Reach of the glow in canvas units."""

OUTLINE = 5.0
"""Width of the outline in canvas units; half of it lies outside the silhouette."""

# room around the glyph for an outline or a frayed edge, and for a halo, in canvas units
_MARGIN, _HALO_MARGIN = 7.0, 14.0
_CLEAR = 0.36  # opacity of the middle of a transparent object
_SPREAD = 9  # RGB jitter of a colour
_GRAIN = 0.22  # strength of the grain of a fuzzy surface
# grain and strength of the noises that fray a fuzzy edge, in canvas units
_RAGGED = ((5, 1.7), (2, 1.0))
_MUD, _DUST = (70, 56, 34), (158, 138, 104)


@dataclass(frozen=True)
class Sprite:
    """A painted object.

    Attributes:
        rgba: (h, w, 4) uint8; alpha is what is blended.
        coverage: (h, w) uint8 in 0..255, where the object itself is (which a box is drawn around);
            None where alpha says so.
        solid: Level of coverage (or alpha) in [0, 1] above which a pixel belongs to the object.
    """

    rgba: np.ndarray
    coverage: np.ndarray | None
    solid: float


def _second_tint(base: np.ndarray, luminance: float, u: float) -> np.ndarray:
    """The other colour of a pattern, light on dark and dark on light, so that grey shows it too."""
    lighter = luminance < 0.35 or (luminance < 0.55 and u < 0.5)
    if lighter:
        return base + np.float32(0.62 if luminance < 0.2 else 0.78) * (252 - base)
    return base * np.float32(0.36)


@dataclass
class _Easel:
    """An object while it is painted.

    Attributes:
        thing: Its words.
        shape: Its silhouette.
        side: Pixels of the canvas.
        rng: Random numbers.
        base: (3,) RGB of its colour.
        luminance: Of that colour, in [0, 1].
        rgb: (3, h, w) float32, the paint.
        distance: (h, w) distance map of the silhouette, frayed if the object is fuzzy.
    """

    thing: Thing
    shape: Silhouette
    side: int
    rng: np.random.Generator
    base: np.ndarray
    luminance: float
    rgb: np.ndarray
    distance: np.ndarray

    def any(self, bank: np.ndarray) -> np.ndarray:
        """One picture of a bank, cropped like the silhouette."""
        return bank[int(self.rng.random() * VARIANTS)][self.shape.crop]

    def noise(self, grain: int) -> np.ndarray:
        """Noise with blobs of `grain` canvas units."""
        return self.any(noise_bank(grain, self.side))

    def mix(self, weight: np.ndarray, target: Sequence[float] | np.ndarray) -> None:
        """Blend towards a colour with an (h, w) weight."""
        for plane, level in zip(self.rgb, target, strict=True):
            plane += weight * (np.float32(level) - plane)


def _set_up(thing: Thing, rng: np.random.Generator) -> _Easel:
    side = SIDES[thing.size]
    shape = silhouette(thing.category, side, _HALO_MARGIN if thing.finish == "glowing" else _MARGIN)
    base = (COLORS[thing.color] + rng.uniform(-_SPREAD, _SPREAD, 3)).astype(np.float32)
    luminance = float(0.299 * base[0] + 0.587 * base[1] + 0.114 * base[2]) / 255
    easel = _Easel(
        thing,
        shape,
        side,
        rng,
        base,
        luminance,
        np.empty((3, *shape.distance.shape), np.float32),
        shape.distance,
    )
    if thing.finish == "fuzzy":
        for grain, strength in _RAGGED:
            easel.distance = easel.distance + strength * easel.noise(grain)
    return easel


def _paint_body(easel: _Easel) -> None:
    """Colour, pattern and the details of the glyph."""
    thing, base, dark = easel.thing, easel.base, easel.luminance < 0.3
    if thing.pattern == "plain":
        easel.rgb[:] = base[:, None, None]
    else:
        tint = _second_tint(base, easel.luminance, easel.rng.random())
        contrast = (tint - base) * np.float32(0.8 if thing.finish == "matte" else 1)
        np.multiply.outer(
            contrast, easel.any(pattern_bank(thing.pattern, easel.side)), out=easel.rgb
        )
        easel.rgb += base[:, None, None]
    if easel.shape.detail is not None:
        easel.mix(easel.shape.detail, base + 0.55 * (255 - base) if dark else base * 0.3)


def _paint_finish(easel: _Easel) -> None:
    """The surface. Matte is flat and chalky; fuzzy is grainy; the others are lit from above."""
    finish, rgb, shade = easel.thing.finish, easel.rgb, shading_bank(easel.side)
    if finish == "matte":
        return easel.mix(np.clip(0.16 + 0.20 * easel.noise(14), 0, 0.55), (196, 194, 188))
    if finish == "fuzzy":
        rgb *= 1 + _GRAIN * easel.noise(2)
        return None
    rgb *= shade["lit"][easel.shape.crop]
    if finish == "shiny":
        rgb *= np.clip(0.72 + easel.distance / 18, 0, 1)
        easel.mix(shade["gloss"][easel.shape.crop], (255, 255, 255))
    elif finish == "glowing":
        easel.mix(shade["glow"][easel.shape.crop], (255, 255, 235))
    return None


def _paint_extras(easel: _Easel) -> np.ndarray:
    """Paint border and condition; returns the coverage (h, w) float32 in [0, 1]."""
    extras, pixel, grown = easel.thing.extras, easel.side / CANVAS, easel.distance
    if "outlined" in extras:
        contour = (250, 250, 245) if easel.luminance < 0.42 else (16, 16, 22)
        easel.mix(np.clip((OUTLINE / 2 - easel.distance) * pixel + 0.5, 0, 1), contour)
        grown = easel.distance + OUTLINE / 2
    if "cracked" in extras:
        easel.mix(
            cracks(easel.shape, easel.side, easel.rng),
            (10, 8, 8) if easel.luminance > 0.25 else (215, 212, 205),
        )
    if "dirty" in extras:
        easel.mix(
            dirt(easel.shape, easel.side, easel.rng), _MUD if easel.luminance > 0.33 else _DUST
        )
    coverage = np.clip(grown * pixel + 0.5, 0, 1)
    if "holed" in extras:
        hole, rim = holes(easel.shape, easel.side, easel.rng)
        easel.mix(rim, (8, 8, 8) if easel.luminance > 0.2 else (120, 120, 120))
        coverage *= 1 - hole
    return coverage


def _opacity(easel: _Easel, coverage: np.ndarray) -> np.ndarray:
    """What is blended of each pixel, in [0, 1]; the halo of a glowing object is painted here."""
    if easel.thing.finish == "transparent":
        return coverage * np.clip(0.92 - easel.distance / 9, _CLEAR, 0.92)
    if easel.thing.finish == "glowing":
        outside = easel.distance < 0
        halo = np.clip(1.15 * np.exp((easel.distance + 1) * (2.0 / HALO)) - 0.15, 0, 0.85) * outside
        light = np.array((255, 255, 225), np.float32)
        easel.mix((1 - coverage) * outside, easel.base + 0.5 * (light - easel.base))
        return np.maximum(coverage, halo)
    return coverage


def paint(thing: Thing, rng: np.random.Generator, gain: float = 1.0) -> Sprite:
    """Paint an object upright on the canvas.

    Snow comes later, since it falls on what is up in the picture.

    Args:
        thing: The words of the object.
        rng: Random numbers.
        gain: Brightness.
    """
    easel = _set_up(thing, rng)
    _paint_body(easel)
    _paint_finish(easel)
    coverage = _paint_extras(easel)
    opacity = _opacity(easel, coverage)
    rgba = cv2.convertScaleAbs(
        cv2.merge([*easel.rgb, opacity * np.float32(255 / gain)]), alpha=gain
    )
    glowing, transparent = thing.finish == "glowing", thing.finish == "transparent"
    return Sprite(
        rgba,
        cv2.convertScaleAbs(coverage, alpha=255) if glowing else None,
        0.8 * _CLEAR if transparent else 0.5,
    )

"""Paints one object on a square canvas: its colour, pattern, finish, border and condition. Size and pose come later, when it is placed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ovarnet.data.scenes.silhouettes import CANVAS, silhouette
from ovarnet.data.scenes.textures import VARIANTS, noise_bank, pattern_bank, shading_bank
from ovarnet.data.scenes.things import Thing

COLORS: dict[str, tuple[int, int, int]] = {
    "red": (206, 30, 34), "orange": (244, 130, 20), "yellow": (246, 220, 40), "green": (42, 150, 58), "blue": (40, 84, 208),
    "purple": (122, 48, 168), "pink": (248, 148, 190), "brown": (116, 70, 36), "gray": (130, 130, 132), "black": (26, 26, 28),
    "white": (246, 246, 244),
}
"""RGB of the colour words."""

_SPREAD = 9  # RGB jitter of a colour
_OUTLINE = 5.0  # width of the outline in canvas pixels
_HALO = 13.0  # reach of the glow in canvas pixels
_GRAIN = 0.22  # strength of the grain of a fuzzy surface
_MUD, _DUST = (70, 56, 34), (158, 138, 104)


@dataclass(frozen=True)
class Sprite:
    """A painted object. rgb: (CANVAS, CANVAS, 3) uint8. opacity, coverage: (CANVAS, CANVAS) uint8 of 0..255; coverage is the object itself
    (what a box is drawn around), opacity what is blended: less where it is transparent, more where it has a halo."""

    rgb: np.ndarray
    opacity: np.ndarray
    coverage: np.ndarray


def _luminance(rgb: np.ndarray) -> float:
    return float(rgb @ np.array([0.299, 0.587, 0.114])) / 255


def _mix(rgb: np.ndarray, weight: np.ndarray, target) -> np.ndarray:
    """Blend the (S, S, 3) picture towards a colour with an (S, S) weight, in place."""
    for channel in range(3):
        plane = rgb[..., channel]
        plane += weight * (np.float32(target[channel]) - plane)
    return rgb


def _second_tint(base: np.ndarray, luminance: float, u: float) -> np.ndarray:
    """The other colour of a pattern: near white on dark colours, a dark shade on light ones, so that a pattern is seen in grey as well."""
    lighter = luminance < 0.35 or (luminance < 0.55 and u < 0.5)
    if lighter:
        return base + (0.62 if luminance < 0.2 else 0.78) * (252 - base)
    return base * 0.36


def _body(thing: Thing, distance: np.ndarray, base: np.ndarray, luminance: float, rng: np.random.Generator) -> np.ndarray:
    """Colour and pattern: (S, S, 3) float32."""
    rgb = np.empty((CANVAS, CANVAS, 3), np.float32)
    rgb[:] = base
    if thing.pattern != "plain":
        tint = _second_tint(base, luminance, rng.random())
        weight = pattern_bank(thing.pattern)[rng.integers(VARIANTS)]
        _mix(rgb, weight if thing.finish != "matte" else 0.8 * weight, tint)
    return rgb


def _finish(thing: Thing, rgb: np.ndarray, distance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The surface: changes `rgb` in place and returns it."""
    shade = shading_bank()
    if thing.finish == "matte":
        chalk = np.clip(0.16 + 0.20 * noise_bank(14)[rng.integers(VARIANTS)], 0, 0.55)
        return _mix(rgb, chalk, (196, 194, 188))
    if thing.finish == "fuzzy":
        grain = 1 + _GRAIN * noise_bank(2)[rng.integers(VARIANTS)]
        return np.multiply(rgb, grain[..., None], out=rgb)
    rgb *= (0.80 + 0.32 * shade["top"])[..., None]
    if thing.finish == "shiny":
        rgb *= np.clip(0.72 + distance / 18, 0, 1.0)[..., None]
        _mix(rgb, np.minimum(0.95 * shade["highlight"] + 0.62 * shade["streak"], 0.95), (255, 255, 255))
    elif thing.finish == "glowing":
        _mix(rgb, 0.55 * shade["centre"], (255, 255, 235))
    return rgb


def _cracks(distance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(S, S) float32 weight of jagged, branching lines that start inside the object."""
    lines = np.zeros((CANVAS, CANVAS), np.uint8)
    ys, xs = np.nonzero(distance > 0.55 * distance.max())
    start = rng.integers(len(xs))
    turn = rng.uniform(0, np.pi)
    for arm in range(3):
        steps = rng.uniform(-0.75, 0.75, 6) + turn + arm * 2 * np.pi / 3
        lengths = rng.uniform(8, 13, 6)
        x, y = np.cumsum(lengths * np.cos(steps)), np.cumsum(lengths * np.sin(steps))
        points = np.stack([np.r_[0, x] + xs[start], np.r_[0, y] + ys[start]], axis=1)
        fork = points[2] + lengths[:2, None] * np.stack([np.cos(steps[:2] + 1.1), np.sin(steps[:2] + 1.1)], axis=1).cumsum(axis=0)
        for line, width in ((points, 3), (np.vstack([points[2:3], fork]), 2)):
            cv2.polylines(lines, [np.round(line * 8).astype(np.int32)], False, 255, width, cv2.LINE_AA, shift=3)
    return lines.astype(np.float32) * np.float32(0.9 / 255)


def _holes(distance: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(S, S) float32 weights in [0, 1] of a few punched round holes and of their dark rims."""
    deepest = float(distance.max())
    radius = float(np.clip(0.55 * deepest, 4.0, 8.0))
    ys, xs = np.nonzero(distance > min(radius + 1.5, 0.6 * deepest))
    inner, outer = np.zeros((2, CANVAS, CANVAS), np.uint8)
    placed: list[tuple[int, int]] = []
    for i in rng.integers(len(xs), size=14).tolist():
        x, y = int(xs[i]), int(ys[i])
        if all((x - px) ** 2 + (y - py) ** 2 > (2.6 * radius) ** 2 for px, py in placed):
            placed.append((x, y))
            cv2.circle(outer, (x * 8, y * 8), int(8 * (radius + 2.2)), 255, -1, cv2.LINE_AA, 3)
            cv2.circle(inner, (x * 8, y * 8), int(8 * radius), 255, -1, cv2.LINE_AA, 3)
        if len(placed) == 5:
            break
    return inner.astype(np.float32) / 255, outer.astype(np.float32) * np.float32(0.7 / 255)


def _dirt(rng: np.random.Generator) -> np.ndarray:
    """(S, S) float32 weight of smears and specks."""
    smears = np.clip(1.6 * (noise_bank(11)[rng.integers(VARIANTS)] - 0.35), 0, 0.85)
    specks = np.clip(2.0 * (noise_bank(4)[rng.integers(VARIANTS)] - 1.15), 0, 0.9)
    return np.maximum(smears, specks)


def paint(thing: Thing, rng: np.random.Generator) -> Sprite:
    """Paint `thing` upright on the canvas (snow comes later: it falls on what is up in the picture)."""
    shape = silhouette(thing.category)
    distance, detail = shape.distance, shape.detail
    if rng.random() < 0.5:
        distance, detail = distance[:, ::-1], detail[:, ::-1]
    if thing.finish == "fuzzy":
        distance = distance + 2.4 * noise_bank(4)[rng.integers(VARIANTS)] + 1.6 * noise_bank(1)[rng.integers(VARIANTS)]
    base = np.array(COLORS[thing.color], np.float32) + rng.uniform(-_SPREAD, _SPREAD, 3).astype(np.float32)
    luminance = _luminance(base)

    rgb = _body(thing, distance, base, luminance, rng)
    _mix(rgb, 0.85 * detail, base * 0.25 if luminance > 0.3 else base + 0.55 * (255 - base))
    rgb = _finish(thing, rgb, distance, rng)
    grown = distance
    if "outlined" in thing.extras:
        contour = (250, 250, 245) if luminance < 0.42 else (16, 16, 22)
        _mix(rgb, np.clip(_OUTLINE / 2 + 0.5 - distance, 0, 1), contour)
        grown = distance + _OUTLINE / 2
    if "cracked" in thing.extras:
        _mix(rgb, _cracks(shape.distance, rng), (10, 8, 8) if luminance > 0.25 else (215, 212, 205))
    if "dirty" in thing.extras:
        _mix(rgb, _dirt(rng), _MUD if luminance > 0.33 else _DUST)
    coverage = np.clip(grown + 0.5, 0, 1)
    if "holed" in thing.extras:
        hole, rim = _holes(distance, rng)
        _mix(rgb, rim, (8, 8, 8) if luminance > 0.2 else (120, 120, 120))
        coverage = coverage * (1 - hole)
    return _sprite(thing, rgb, distance, coverage, base)


def _sprite(thing: Thing, rgb: np.ndarray, distance: np.ndarray, coverage: np.ndarray, base: np.ndarray) -> Sprite:
    """Opacity of the finish, and everything as bytes."""
    opacity = coverage
    if thing.finish == "transparent":
        opacity = coverage * np.clip(0.92 - distance / 9, 0.36, 0.92)
    elif thing.finish == "glowing":
        outside = np.clip(1.15 * np.exp(np.minimum(distance + 1, 0) * (2.2 / _HALO)) - 0.14, 0, 0.85)
        halo = np.where(distance > 0, 0, outside).astype(np.float32)
        opacity = np.maximum(coverage, halo)
        _mix(rgb, np.clip(1 - coverage, 0, 1) * (distance < 0), base + 0.6 * (np.array((255, 255, 225)) - base))
    return Sprite(np.clip(rgb, 0, 255).astype(np.uint8), (opacity * 255).astype(np.uint8), (coverage * 255).astype(np.uint8))

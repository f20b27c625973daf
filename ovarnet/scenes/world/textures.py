"""Banks of patterns and noise that the painter draws from.

They are made once per process from fixed seeds, so they are the same everywhere.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from ovarnet.scenes.world.silhouettes import CANVAS

_SHIFT = 3  # OpenCV draws in 1/8 pixel

VARIANTS = 32
"""Pictures per bank."""

PERIODS = (11.0, 18.0)
"""Range of pattern periods in canvas pixels: coarser ones repeat too rarely on an object to be
recognised."""


def _soft(value: np.ndarray) -> np.ndarray:
    """Edge of one pixel: value is a signed distance in pixels."""
    return np.clip(value + 0.5, 0, 1).astype(np.float32)


def _stripes(x: np.ndarray, y: np.ndarray, period: float, rng: np.random.Generator) -> np.ndarray:
    along = x if rng.random() < 0.5 else y
    return _soft(0.21 * period - np.abs((along + rng.uniform(0, period)) % period - period / 2))


def _zigzag(x: np.ndarray, y: np.ndarray, period: float, rng: np.random.Generator) -> np.ndarray:
    wave = np.abs((x + rng.uniform(0, period)) % period - period / 2) * 1.2
    return _soft(0.21 * period - np.abs((y + wave + rng.uniform(0, period)) % period - period / 2))


def _dots(x: np.ndarray, y: np.ndarray, period: float, rng: np.random.Generator) -> np.ndarray:
    y = y + rng.uniform(0, period)
    row = np.floor(y / period)
    x = x + rng.uniform(0, period) + (row % 2) * period / 2
    return _soft(0.30 * period - np.hypot(x % period - period / 2, y % period - period / 2))


def _checks(x: np.ndarray, y: np.ndarray, period: float, rng: np.random.Generator) -> np.ndarray:
    # the product of two triangle waves changes sign at the edges of the squares; a check is a bit
    # smaller than a stripe period
    side = 0.62 * period
    u, v = ((t + rng.uniform(0, 2 * side)) % (2 * side) - side for t in (x, y))
    u, v = (side / 2 - np.abs(t) for t in (u, v))
    return _soft(np.sign(u * v) * np.minimum(np.abs(u), np.abs(v)))


_PATTERNS = {"striped": _stripes, "dotted": _dots, "checkered": _checks, "zigzag": _zigzag}


def _shrunk(bank: list[np.ndarray] | np.ndarray, side: int) -> np.ndarray:
    return np.stack(
        [cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA) for picture in bank]
    ).astype(np.float32)


@cache
def pattern_bank(word: str, side: int) -> np.ndarray:
    """Pictures of a pattern.

    Args:
        word: A pattern other than "plain".
        side: Pixels per side.

    Returns:
        (VARIANTS, side, side) float32 in [0, 1]; 1 where the second tint shows.
    """
    rng = np.random.default_rng([11, list(_PATTERNS).index(word)])
    y, x = np.mgrid[0:CANVAS, 0:CANVAS].astype(np.float32)
    return _shrunk(
        [_PATTERNS[word](x, y, rng.uniform(*PERIODS), rng) for _ in range(VARIANTS)], side
    )


@cache
def noise_bank(grain: int, side: int) -> np.ndarray:
    """Noise with blobs of about `grain` canvas units.

    Returns:
        (VARIANTS, side, side) float32 of zero mean and unit deviation.
    """
    rng = np.random.default_rng([12, grain])
    knots = CANVAS // grain + 2
    coarse = rng.standard_normal((VARIANTS, knots, knots)).astype(np.float32)
    bank = _shrunk(
        [cv2.resize(noise, (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC) for noise in coarse],
        side,
    )
    bank = (bank - bank.mean(axis=(1, 2), keepdims=True)) / bank.std(axis=(1, 2), keepdims=True)
    return bank


@cache
def crack_bank(side: int) -> np.ndarray:
    """Three jagged, forking lines that start in the middle.

    Returns:
        (VARIANTS, 2 side, 2 side) float32 weights in [0, 1].
    """
    rng = np.random.default_rng(14)
    scale = side / CANVAS * (1 << _SHIFT)
    thick = max(1, round(3 * side / CANVAS))
    bank = np.zeros((VARIANTS, 2 * side, 2 * side), np.uint8)
    for lines in bank:
        turns = 2 * np.pi * (rng.random() + np.arange(3)[:, None] / 3) + rng.uniform(
            -0.75, 0.75, (3, 6)
        )
        steps = rng.uniform(8, 13, (3, 6, 1)) * np.stack([np.cos(turns), np.sin(turns)], axis=-1)
        arms = CANVAS + np.concatenate([np.zeros((3, 1, 2)), steps.cumsum(axis=1)], axis=1)
        forks = np.stack([arms[:, 2], arms[:, 2] + 1.5 * steps[:, 0, ::-1] * (1, -1)], axis=1)
        for points, width in ((arms, thick), (forks, max(1, thick - 1))):
            cv2.polylines(
                lines,
                list(np.rint(points * scale).astype(np.int32)),
                False,
                255,
                width,
                cv2.LINE_AA,
                _SHIFT,
            )
    return bank * np.float32(0.9 / 255)


@cache
def shading_bank(side: int) -> dict[str, np.ndarray]:
    """Fixed (side, side) float32 fields of light.

    Returns:
        "lit": brightness under light from above; "gloss": weight of the white spot and the diagonal
        band of a shiny surface; "glow": weight of the bright middle of a glowing one.
    """
    y, x = (np.mgrid[0:side, 0:side].astype(np.float32) + 0.5) / side
    highlight = np.exp(-(((x - 0.36) / 0.13) ** 2 + ((y - 0.32) / 0.09) ** 2))
    band = np.clip(1.5 - np.abs((x + y) / 2**0.5 - 0.80) / 0.035, 0, 1)
    return {
        "lit": (1.12 - 0.32 * y).astype(np.float32),
        "gloss": np.minimum(0.95 * highlight + 0.62 * band, 0.95).astype(np.float32),
        "glow": (0.55 * np.clip(1 - np.hypot(x - 0.5, y - 0.5) / 0.5, 0, 1)).astype(np.float32),
    }


@cache
def backdrop_bank() -> np.ndarray:
    """Background textures: grain, clouds, streaks as of wood, weave.

    Returns:
        (4, 320, 320, 3) uint8 of mean 128 and deviation 32, the same in every channel.
    """
    rng = np.random.default_rng(13)
    grain = rng.standard_normal((320, 320))
    clouds = cv2.resize(rng.standard_normal((14, 14)), (320, 320), interpolation=cv2.INTER_CUBIC)
    streaks = cv2.resize(rng.standard_normal((120, 6)), (320, 320), interpolation=cv2.INTER_CUBIC)
    weave = cv2.resize(rng.standard_normal((320, 40)), (320, 320)) + cv2.resize(
        rng.standard_normal((40, 320)), (320, 320)
    )
    bank = np.stack([grain, clouds, streaks + 0.3 * grain, weave]).astype(np.float32)
    bank = (bank - bank.mean(axis=(1, 2), keepdims=True)) / bank.std(axis=(1, 2), keepdims=True)
    return np.repeat(np.clip(128 + 32 * bank, 0, 255).astype(np.uint8)[..., None], 3, axis=-1)

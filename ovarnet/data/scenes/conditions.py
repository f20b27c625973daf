"""The condition words as weights on the canvas: cracks, round holes and dirt. (Snow falls on the finished picture: place.py.)"""

from __future__ import annotations

import cv2
import numpy as np

from ovarnet.data.scenes.silhouettes import CANVAS, Silhouette
from ovarnet.data.scenes.textures import VARIANTS, noise_bank

_SHIFT = 3  # OpenCV draws in 1/8 pixel
_ARMS, _STEPS = 3, 6
_MOST_HOLES = 5


def cracks(shape: Silhouette, side: int, rng: np.random.Generator) -> np.ndarray:
    """(side, side) float32 weight of jagged, forking lines that start well inside the object."""
    lines = np.zeros((side, side), np.uint8)
    scale = side / CANVAS * (1 << _SHIFT)
    centre = shape.core[int(rng.random() * len(shape.core))]
    u = rng.random((_ARMS, _STEPS, 2))
    turns = 2 * np.pi * (u[0, 0, 0] + np.arange(_ARMS)[:, None] / _ARMS) + 1.5 * (u[..., 0] - 0.5)
    steps = (8 + 5 * u[..., 1])[..., None] * np.stack([np.cos(turns), np.sin(turns)], axis=-1)
    arms = centre + np.concatenate([np.zeros((_ARMS, 1, 2)), steps.cumsum(axis=1)], axis=1)
    forks = np.stack([arms[:, 2], arms[:, 2] + 1.5 * steps[:, 0, ::-1] * (1, -1)], axis=1)
    thick = max(1, round(3 * side / CANVAS))
    cv2.polylines(lines, list(np.rint(arms * scale).astype(np.int32)), False, 255, thick, cv2.LINE_AA, _SHIFT)
    cv2.polylines(lines, list(np.rint(forks * scale).astype(np.int32)), False, 255, max(1, thick - 1), cv2.LINE_AA, _SHIFT)
    return lines * np.float32(0.9 / 255)


def holes(shape: Silhouette, side: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(side, side) float32 weights in [0, 1] of a few punched round holes and of their dark rims."""
    radius = min(max(0.55 * shape.depth, 4.0), 8.0)
    scale = side / CANVAS * (1 << _SHIFT)
    inner, outer = np.zeros((2, side, side), np.uint8)
    placed: list[tuple[int, int]] = []
    for x, y in shape.core[(rng.random(14) * len(shape.core)).astype(int)].tolist():
        if len(placed) < _MOST_HOLES and all((x - px) ** 2 + (y - py) ** 2 > (2.6 * radius) ** 2 for px, py in placed):
            placed.append((x, y))
            centre = (round(x * scale), round(y * scale))
            cv2.circle(outer, centre, round((radius + 2.2) * scale), 255, -1, cv2.LINE_AA, _SHIFT)
            cv2.circle(inner, centre, round(radius * scale), 255, -1, cv2.LINE_AA, _SHIFT)
    return inner * np.float32(1 / 255), outer * np.float32(0.7 / 255)


def dirt(side: int, rng: np.random.Generator) -> np.ndarray:
    """(side, side) float32 weight of smears and specks."""
    smear, speck = (noise_bank(grain, side)[int(rng.random() * VARIANTS)] for grain in (11, 4))
    return np.clip(np.maximum(1.6 * (smear - 0.45), 2.0 * (speck - 1.1)), 0, 0.88)

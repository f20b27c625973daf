"""The condition words as weights (h, w) in the arrays of a silhouette: cracks, holes, dirt.

Snow falls later, where up is known (place.py).
"""

from __future__ import annotations

import cv2
import numpy as np

from ovarnet.scenes.world.silhouettes import CANVAS, Silhouette
from ovarnet.scenes.world.textures import VARIANTS, crack_bank, noise_bank

_SHIFT = 3  # OpenCV draws in 1/8 pixel
_MOST_HOLES = 5


def cracks(shape: Silhouette, side: int, rng: np.random.Generator) -> np.ndarray:
    """(h, w) float32 weight of jagged, forking lines that start well inside the object."""
    x, y = (shape.core[int(rng.random() * len(shape.core))] * side // CANVAS).tolist()
    lines = crack_bank(side)[int(rng.random() * VARIANTS)]
    return lines[side - y : 2 * side - y, side - x : 2 * side - x][shape.crop]


def holes(shape: Silhouette, side: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(h, w) float32 weights in [0, 1] of a few punched round holes and of their dark rims."""
    radius = min(max(0.55 * shape.depth, 4.0), 8.0)
    scale = side / CANVAS * (1 << _SHIFT)
    inner, outer = np.zeros((2, side, side), np.uint8)
    placed: list[tuple[int, int]] = []
    for x, y in shape.core[(rng.random(14) * len(shape.core)).astype(int)].tolist():
        if len(placed) < _MOST_HOLES and all(
            (x - px) ** 2 + (y - py) ** 2 > (2.6 * radius) ** 2 for px, py in placed
        ):
            placed.append((x, y))
            centre = (round(x * scale), round(y * scale))
            cv2.circle(outer, centre, round((radius + 2.2) * scale), 255, -1, cv2.LINE_AA, _SHIFT)
            cv2.circle(inner, centre, round(radius * scale), 255, -1, cv2.LINE_AA, _SHIFT)
    return inner[shape.crop] * np.float32(1 / 255), outer[shape.crop] * np.float32(0.7 / 255)


def dirt(shape: Silhouette, side: int, rng: np.random.Generator) -> np.ndarray:
    """(h, w) float32 weight of smears and specks."""
    smear, speck = (
        noise_bank(grain, side)[int(rng.random() * VARIANTS)][shape.crop] for grain in (11, 4)
    )
    return np.clip(np.maximum(1.6 * (smear - 0.45), 2.0 * (speck - 1.1)), 0, 0.88)

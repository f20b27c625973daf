"""Backgrounds: muted gradients with a texture, and clutter that carries no label. No background has a colour a person would name."""

from __future__ import annotations

import cv2
import numpy as np

from ovarnet.data.scenes.textures import backdrop_bank

_TEXTURE = (4.0, 11.0)  # deviation of the texture in grey levels
_MOST_CLUTTER = 7


def _muted_corners(rng: np.random.Generator) -> np.ndarray:
    """(2, 2, 3) float32 RGB: one grey level per corner around a common one, and one weak tint for all."""
    level = rng.uniform(70, 205) + rng.uniform(-28, 28, (2, 2, 1))
    tint = rng.uniform(-22, 22, 3)
    return (level + tint - tint.mean()).astype(np.float32)


def _clutter(image: np.ndarray, rng: np.random.Generator) -> None:
    """Draw lines, arcs and blobs in muted tones, in place. Coordinates are in 1/8 pixel."""
    height, width = image.shape[:2]
    for _ in range(rng.integers(_MOST_CLUTTER + 1)):
        u = rng.random(9)
        x, y = int(8 * width * u[0]), int(8 * height * u[1])
        level = float(image[min(y >> 3, height - 1), min(x >> 3, width - 1), 1]) + (u[2] - 0.5) * 110
        color = tuple(float(np.clip(level + shift, 20, 235)) for shift in (u[3:6] - 0.5) * 36)
        if u[6] < 0.5:
            end = (x + int(8 * 90 * (u[7] - 0.5)), y + int(8 * 90 * (u[8] - 0.5)))
            cv2.line(image, (x, y), end, color, 1 + int(3 * u[6] / 0.5), cv2.LINE_AA, 3)
        else:
            axes = (int(8 * (2 + 15 * u[7])), int(8 * (2 + 10 * u[8])))
            thickness = -1 if u[6] < 0.8 else 2
            cv2.ellipse(image, (x, y), axes, 180 * u[2], 0, 360 if thickness < 0 else 200, color, thickness, cv2.LINE_AA, 3)


def draw_background(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """(height, width, 3) uint8 RGB."""
    picture = cv2.resize(_muted_corners(rng), (width, height), interpolation=cv2.INTER_LINEAR)
    bank = backdrop_bank()
    x, y = rng.integers(bank.shape[2] - width + 1), rng.integers(bank.shape[1] - height + 1)
    texture = bank[rng.integers(len(bank)), y : y + height, x : x + width] * np.float32(rng.uniform(*_TEXTURE))
    picture += texture[..., None]
    image = np.clip(picture, 0, 255).astype(np.uint8)
    _clutter(image, rng)
    return image

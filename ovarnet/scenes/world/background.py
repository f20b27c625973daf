"""Backgrounds: muted gradients with a texture, and clutter without labels.

No background has a colour that a person would name.
"""

from __future__ import annotations

import cv2
import numpy as np

from ovarnet.scenes.world.textures import backdrop_bank

_TEXTURE = (4.0, 11.0)  # deviation of the texture in grey levels
_TINT = 10.0  # largest departure of a channel from grey
_MOST_CLUTTER = 6


def _muted_corners(rng: np.random.Generator, gain: float) -> np.ndarray:
    """(2, 2, 3) uint8 RGB: a grey level for each corner around a common one, with a weak tint."""
    level = rng.uniform(70, 205) + rng.uniform(-28, 28, (2, 2, 1))
    tint = rng.uniform(-_TINT, _TINT, 3)
    return np.clip(gain * (level + tint - tint.mean()), 0, 255).astype(np.uint8)


def _clutter(image: np.ndarray, rng: np.random.Generator) -> None:
    """Draw lines, arcs and blobs in muted tones, in place. Coordinates are in 1/8 pixel."""
    height, width = image.shape[:2]
    for u in rng.random((int(rng.random() * (_MOST_CLUTTER + 1)), 9)).tolist():
        x, y = int(8 * width * u[0]), int(8 * height * u[1])
        level = float(image[y >> 3, x >> 3, 1]) + (u[2] - 0.5) * 110
        color = [min(max(level + (shift - 0.5) * 1.5 * _TINT, 20.0), 235.0) for shift in u[3:6]]
        if u[6] < 0.5:
            end = (x + int(8 * 90 * (u[7] - 0.5)), y + int(8 * 90 * (u[8] - 0.5)))
            cv2.line(image, (x, y), end, color, 1 + int(6 * u[6]), cv2.LINE_AA, 3)
        else:
            axes = (int(8 * (2 + 15 * u[7])), int(8 * (2 + 10 * u[8])))
            thickness = -1 if u[6] < 0.8 else 2
            cv2.ellipse(
                image,
                (x, y),
                axes,
                180 * u[2],
                0,
                360 if thickness < 0 else 200,
                color,
                thickness,
                cv2.LINE_AA,
                3,
            )


def draw_background(
    height: int, width: int, rng: np.random.Generator, gain: float = 1.0
) -> np.ndarray:
    """Draw a background.

    Args:
        height: In pixels.
        width: In pixels.
        rng: Random numbers.
        gain: Brightness of the picture.

    Returns:
        (height, width, 3) uint8 RGB.
    """
    gradient = cv2.resize(
        _muted_corners(rng, gain), (width, height), interpolation=cv2.INTER_LINEAR
    )
    bank = backdrop_bank()
    u, (low, high) = rng.random(4).tolist(), _TEXTURE
    y, x = int(u[0] * (bank.shape[1] - height + 1)), int(u[1] * (bank.shape[2] - width + 1))
    texture = bank[int(u[2] * len(bank)), y : y + height, x : x + width]
    amplitude = (low + (high - low) * u[3]) / 32
    image = cv2.addWeighted(gradient, 1, texture, amplitude, -128 * amplitude)
    _clutter(image, rng)
    return image

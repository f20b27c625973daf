"""Small pictures of the report: an image with numbered boxes, and the surroundings of one box.

Images are (H, W, 3) uint8 RGB.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw

from ovarnet.drawing.fonts import font

COLOURS = ("#e6194b", "#0082c8", "#f58231", "#911eb4", "#008080", "#aa6e28")
EXTRA = "#6b7280"
WIDTH, CROP = 440, 220
"""Pixels of a picture's width and of a crop's side; the page shows them at half of that, sharp on
fine screens."""
SURROUNDINGS = 0.35
"""Margin around the box of a crop, as a share of its longer side."""


def colour(number: int) -> str:
    """The colour of object `number`, from 1; 0 stands for detections of no object."""
    return COLOURS[(number - 1) % len(COLOURS)] if number else EXTRA


def numbered_boxes(image: np.ndarray, boxes: Sequence[np.ndarray], numbers: Sequence[int]) -> bytes:
    """Draw boxes in the colours of their objects.

    Args:
        image: (H, W, 3) uint8 RGB.
        boxes: N boxes (4,), xyxy in pixels of `image`.
        numbers: N numbers written at the boxes; 0 has none, and a thin line.

    Returns:
        A JPEG of width `WIDTH`.
    """
    scale = WIDTH / image.shape[1]
    picture = Image.fromarray(
        cv2.resize(image, (WIDTH, round(image.shape[0] * scale)), interpolation=cv2.INTER_CUBIC)
    )
    pen, face = ImageDraw.Draw(picture), font("DejaVuSans-Bold.ttf", 24)
    # Detections of no object lie below the others.
    for box, number in sorted(zip(boxes, numbers, strict=True), key=lambda pair: pair[1] > 0):
        x1, y1, x2, y2 = (float(value) * scale for value in box)
        pen.rectangle((x1, y1, x2, y2), outline=colour(number), width=5 if number else 3)
        if number:
            left, top = min(x1, WIDTH - 30), max(0.0, y1 - 2)
            pen.rectangle((left, top, left + 28, top + 30), fill=colour(number))
            pen.text((left + 14, top + 15), str(number), font=face, fill="white", anchor="mm")
    return _jpeg(picture)


def surroundings(image: np.ndarray, box: Sequence[float]) -> bytes:
    """Crop a square around a box and draw the box.

    Args:
        image: (H, W, 3) uint8 RGB.
        box: xyxy in pixels of `image`.

    Returns:
        A JPEG of `CROP` x `CROP` pixels, light grey outside of the image.
    """
    x1, y1, x2, y2 = box
    side = max(x2 - x1, y2 - y1, 8) * (1 + 2 * SURROUNDINGS)
    left, top, scale = (x1 + x2 - side) / 2, (y1 + y2 - side) / 2, CROP / side
    matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    crop = cv2.warpAffine(
        image, matrix, (CROP, CROP), flags=cv2.INTER_LINEAR, borderValue=(236, 238, 241)
    )
    picture = Image.fromarray(crop)
    pen = ImageDraw.Draw(picture)
    outline = [
        (value - start) * scale for value, start in zip(box, (left, top, left, top), strict=True)
    ]
    pen.rectangle(outline, outline="black", width=4)  # black below white shows on any ground
    pen.rectangle(outline, outline="white", width=2)
    return _jpeg(picture)


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=88)
    return buffer.getvalue()

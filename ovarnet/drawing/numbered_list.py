"""Pictures of crowded images: numbers on the boxes, and a list of their labels beside the image."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from ovarnet.drawing.boxes import draw_boxes
from ovarnet.drawing.label_placement import place_some
from ovarnet.drawing.plates import Label, Plate, draw_plates, plate_sizes

MAX_LISTED = 100
"""Boxes drawn and listed; more would hide the image and each other."""
MIN_SIDE = 160
"""Pixels that the image is padded to, so that number tags find room."""
MIN_LIST_HEIGHT = 640
GAP = 4
"""Pixels between the plates of the list."""
WHITE = (255, 255, 255)


def draw_numbered(
    canvas: np.ndarray, boxes: np.ndarray, labels: Sequence[Label], font_size: int
) -> np.ndarray:
    """Draw boxes with number tags, and a list of the labels at the right.

    Args:
        canvas: (H, W, 3) uint8 RGB.
        boxes: (N, 4) xyxy in pixels of the canvas, best first.
        labels: N labels.
        font_size: of the tags and of the categories in the list.

    Returns:
        (H', W', 3) uint8 RGB. The first 100 boxes are drawn and listed; a last line counts the
        others. Number tags that find no room are left out.
    """
    not_listed = len(labels) - MAX_LISTED
    boxes, labels = boxes[:MAX_LISTED], labels[:MAX_LISTED]
    canvas = _padded(draw_boxes(canvas, boxes, [label.colour for label in labels]))

    tags = [label.tag(font_size) for label in labels]
    kept, positions = place_some(boxes, plate_sizes(tags), canvas.shape[1], canvas.shape[0])
    canvas = draw_plates(canvas, [tags[index] for index in kept], positions, boxes[kept])

    entries = [label.plate(font_size, prefix=f"{label.number}  ") for label in labels]
    if not_listed > 0:
        entries.append(Plate.of([f"… and {not_listed:,} more"], [], WHITE, font_size))
    return _with_list(canvas, entries)


def _padded(canvas: np.ndarray) -> np.ndarray:
    """White at the right of a very high image, or below a very wide one, for its number tags."""
    missing = [max(0, MIN_SIDE - side) for side in canvas.shape[:2]]
    return np.pad(canvas, ((0, missing[0]), (0, missing[1]), (0, 0)), constant_values=255)


def _with_list(canvas: np.ndarray, plates: Sequence[Plate]) -> np.ndarray:
    """The canvas with plates at its right, in as many columns as its height needs."""
    # High enough for every plate, and for a list that is at most about twice as wide as high.
    area = sum((plate.width + 2 * GAP) * (plate.height + GAP) for plate in plates)
    height = max(
        canvas.shape[0],
        MIN_LIST_HEIGHT,
        max(plate.height for plate in plates) + 2 * GAP,
        round(math.sqrt(area / 2)),
    )

    corners, x, y, column_width = [], canvas.shape[1] + 2 * GAP, GAP, 0
    for plate in plates:
        if y + plate.height + GAP > height:
            x, y, column_width = x + column_width + 2 * GAP, GAP, 0
        corners.append((x, y))
        y, column_width = y + plate.height + GAP, max(column_width, plate.width)

    sheet = Image.new("RGB", (x + column_width + 2 * GAP, height), "white")
    sheet.paste(Image.fromarray(canvas))
    pen = ImageDraw.Draw(sheet)
    for plate, corner in zip(plates, corners, strict=True):
        plate.draw(pen, *corner)
    return np.asarray(sheet)

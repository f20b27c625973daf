"""Pictures of crowded images: numbers on the boxes, and a list of their labels beside the image."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from ovarnet.drawing.boxes import draw_boxes
from ovarnet.drawing.label_placement import place_some
from ovarnet.drawing.plates import Label, Plate, draw_plates, plate_sizes

LISTED = 100  # boxes in a picture that has no room for their texts
NARROWEST = 160  # pixels that number tags need
LOWEST = 640  # pixels of height that a list takes at least
WHITE = (255, 255, 255)


def numbered(canvas: np.ndarray, boxes: np.ndarray, entries: list[Label], size: int) -> np.ndarray:
    """The picture of the first LISTED boxes with number tags, and beside it a list of their
    texts.
    """
    more = len(entries) - LISTED
    boxes, entries = boxes[:LISTED], entries[:LISTED]
    canvas = _with_room(draw_boxes(canvas, boxes, entries))
    tags = [entry.tag(size) for entry in entries]
    kept, positions = place_some(boxes, plate_sizes(tags), canvas.shape[1], canvas.shape[0])
    canvas = draw_plates(canvas, [tags[index] for index in kept], positions, boxes[kept])
    plates = [entry.plate(size, f"{entry.number}  ") for entry in entries]
    return _beside(
        canvas, plates + [Plate.of([f"… and {more:,} more"], [], WHITE, size)] * (more > 0)
    )


def _with_room(canvas: np.ndarray) -> np.ndarray:
    """White at the right of a very high image, or below a very wide one, where its number tags can
    stand.
    """
    missing = [max(0, NARROWEST - side) for side in canvas.shape[:2]]
    return np.pad(canvas, ((0, missing[0]), (0, missing[1]), (0, 0)), constant_values=255)


def _beside(canvas: np.ndarray, plates: list[Plate]) -> np.ndarray:
    """The canvas with a list of plates at its right, in as many columns as its height needs; the
    list is at most about twice as wide as high.
    """
    gap = 4
    area = sum((plate.width + 2 * gap) * (plate.height + gap) for plate in plates)
    height = max(
        canvas.shape[0],
        LOWEST,
        max(plate.height for plate in plates) + 2 * gap,
        round(math.sqrt(area / 2)),
    )
    spots, x, y, column = [], canvas.shape[1] + 2 * gap, gap, 0
    for plate in plates:
        if y + plate.height + gap > height:
            x, y, column = x + column + 2 * gap, gap, 0
        spots.append((x, y))
        y, column = y + plate.height + gap, max(column, plate.width)
    sheet = Image.new("RGB", (x + column + 2 * gap, height), "white")
    sheet.paste(Image.fromarray(canvas))
    pen = ImageDraw.Draw(sheet)
    for plate, spot in zip(plates, spots, strict=True):
        plate.draw(pen, *spot)
    return np.asarray(sheet)

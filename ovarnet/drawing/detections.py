"""A picture of detections: boxes with labels. Images are (H, W, 3) uint8 RGB arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ovarnet.drawing.boxes import box_colours, colour, draw_boxes
from ovarnet.drawing.label_placement import place
from ovarnet.drawing.label_text import ATTRIBUTE_THRESHOLD, drawable_names, label_texts
from ovarnet.drawing.numbered_list import numbered
from ovarnet.drawing.plates import Label, draw_plates, plate_sizes
from ovarnet.io.images import read_image
from ovarnet.structures import Detections

SHORT_SIDE, LONG_SIDE = (
    640,
    4096,
)  # smaller images are enlarged so that text fits, larger ones are shrunk


def draw(
    image: str | Path | Image.Image | np.ndarray,
    found: Detections,
    *,
    top_attributes: int = 3,
    attribute_threshold: float = ATTRIBUTE_THRESHOLD,
    ranks: Sequence[int] | None = None,
) -> np.ndarray:
    """The image with each box, its best category and its best attributes. image: what `detect`
    takes, so a path, a PIL image or an array (H, W, 3) RGB uint8. ranks: numbers that stand before
    the words of each box; boxes then have a colour each.

    Returns a new (H', W', 3) picture: enlarged to a short side of 640 where smaller. Where the text
    plates of all boxes find room, each stands at its box. Otherwise the texts stand in a list at
    the right, and the boxes carry numbers as far as these find room; more than 100 boxes would hide
    the image and each other, so only the best 100 are drawn and listed, and the others counted. A
    word that no font of this machine can draw is shown as "category 3", its place among the words
    given; a warning tells so once.
    """
    canvas, scale = _resized(read_image(image))
    order = np.argsort(-found.scores.numpy(), kind="stable")
    boxes = found.boxes.double().numpy()[order] * scale
    colours = box_colours(found) if ranks is None else [colour(rank) for rank in ranks]
    texts = label_texts(
        found,
        *drawable_names(tuple(found.categories), tuple(found.attributes)),
        top_attributes,
        attribute_threshold,
    )
    ordered = [
        Label(texts[index], colours[index], position if ranks is None else ranks[index])
        for position, index in enumerate(order, start=1)
    ]
    size = max(13, round(math.sqrt(canvas.shape[0] * canvas.shape[1]) / 52))

    plates = [entry.plate(size, "" if ranks is None else f"{entry.number} ") for entry in ordered]
    positions = place(boxes, plate_sizes(plates), canvas.shape[1], canvas.shape[0])
    if positions is None:
        return numbered(canvas, boxes, ordered, size)
    return draw_plates(draw_boxes(canvas, boxes, plates), plates, positions, boxes)


def _resized(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The canvas, and the (4,) factors that bring xyxy boxes onto it."""
    height, width = image.shape[:2]
    factor = min(max(1.0, SHORT_SIDE / min(height, width)), LONG_SIDE / max(height, width))
    new = max(1, round(width * factor)), max(1, round(height * factor))
    interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    canvas = image.copy() if factor == 1 else cv2.resize(image, new, interpolation=interpolation)
    return canvas, np.array([new[0] / width, new[1] / height] * 2)

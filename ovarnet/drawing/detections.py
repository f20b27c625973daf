"""A picture of detections: boxes with labels. Images are (H, W, 3) uint8 RGB arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ovarnet.drawing.boxes import box_colours, colour, draw_boxes
from ovarnet.drawing.label_placement import place, place_some
from ovarnet.drawing.label_text import ATTRIBUTE_THRESHOLD, drawable_words, label_texts
from ovarnet.drawing.numbered_list import draw_numbered
from ovarnet.drawing.plates import Label, draw_plates, plate_sizes
from ovarnet.io.images import read_image
from ovarnet.structures import Detections

MIN_SHORT_SIDE = 640
"""Pixels. Smaller images are enlarged so that labels fit."""
MAX_LONG_SIDE = 4096
"""Pixels. Larger images are shrunk."""
MIN_FONT_SIZE = 13


def draw(
    image: str | Path | Image.Image | np.ndarray,
    found: Detections,
    *,
    top_attributes: int = 3,
    attribute_threshold: float | Mapping[str, float] = ATTRIBUTE_THRESHOLD,
    ranks: Sequence[int] | None = None,
    keep_size: bool = False,
) -> np.ndarray:
    """Draw each box with its best category and its best attributes.

    Each label stands at its box as long as the labels together cover at most a sixth of the picture
    and hide neither each other nor more than half of any box. Otherwise the boxes carry numbers and
    the labels stand in a list at the right; the best 100 boxes are drawn and listed, the others are
    counted. A word that no installed font can draw is shown as "category 3", its place among the
    words given, with one warning.

    Args:
        image: whatever `detect` takes.
        found: detections in pixels of `image`; may be empty.
        top_attributes: at most this many attributes per label.
        attribute_threshold: attributes that score lower are not shown; one number, or one for each
            attribute.
        ranks: one number per box to show before its label; None: no numbers.
        keep_size: add no list, as frames of a video must be of one size: labels that find no room
            are left out.

    Returns:
        A new (H', W', 3) uint8 RGB picture, enlarged to a short side of 640 where smaller. Colours
        tell categories apart; with ranks, or with fewer than two category words, they tell boxes
        apart.
    """
    canvas, scale = _resized(read_image(image))
    order = np.argsort(-found.scores.numpy(), kind="stable")
    boxes = found.boxes.double().numpy()[order] * scale

    texts = label_texts(
        found,
        *drawable_words(tuple(found.categories), tuple(found.attributes)),
        top_attributes,
        attribute_threshold,
    )
    colours = box_colours(found, order) if ranks is None else [colour(rank) for rank in ranks]
    labels = [
        Label(texts[index], colours[index], position if ranks is None else ranks[index])
        for position, index in enumerate(order, start=1)
    ]

    height, width = canvas.shape[:2]
    font_size = max(MIN_FONT_SIZE, round(math.sqrt(height * width) / 52))
    plates = [
        label.plate(font_size, prefix="" if ranks is None else f"{label.number} ")
        for label in labels
    ]
    sizes = plate_sizes(plates)
    positions = place(boxes, sizes, width, height)
    if positions is None and not keep_size:
        return draw_numbered(canvas, boxes, labels, font_size)

    kept = list(range(len(boxes)))
    if positions is None:
        kept, positions = place_some(boxes, sizes, width, height)
    canvas = draw_boxes(canvas, boxes, [label.colour for label in labels])
    return draw_plates(canvas, [plates[index] for index in kept], positions, boxes[kept])


def _resized(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The canvas, and the (4,) factors that map xyxy boxes onto it."""
    height, width = image.shape[:2]
    factor = min(max(1.0, MIN_SHORT_SIDE / min(height, width)), MAX_LONG_SIDE / max(height, width))
    new = max(1, round(width * factor)), max(1, round(height * factor))
    interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    canvas = image.copy() if factor == 1 else cv2.resize(image, new, interpolation=interpolation)
    return canvas, np.array([new[0] / width, new[1] / height] * 2)

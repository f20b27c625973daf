"""Box outlines and their colours."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence

import numpy as np
import supervision as sv

from ovarnet.structures import Detections

RGB = tuple[int, int, int]


def box_colours(found: Detections, order: np.ndarray) -> list[RGB]:
    """One colour per box.

    By best category, so that a word keeps its colour over images. With fewer than two category
    words all boxes would share one colour: then by detection.

    Args:
        found: N detections.
        order: (N,) indices of the boxes, best first; neighbours in this order get unlike colours.

    Returns:
        N RGB colours, in the order of `found`.
    """
    if len(found.categories) < 2:
        return [colour(rank) for rank in np.argsort(order)]
    return [colour(column) for column in found.category_scores.argmax(dim=1).tolist()]


def colour(index: int) -> RGB:
    """Hues a golden section apart, so that neighbours differ; every other one is darker."""
    red, green, blue = colorsys.hsv_to_rgb(
        (0.02 + index * 0.618034) % 1.0, 0.85, (1.0, 0.72)[index % 2]
    )
    return round(red * 255), round(green * 255), round(blue * 255)


def draw_boxes(canvas: np.ndarray, boxes: np.ndarray, colours: Sequence[RGB]) -> np.ndarray:
    """Draw outlines, the first box on top.

    Args:
        canvas: (H, W, 3) uint8 RGB.
        boxes: (N, 4) xyxy in pixels of the canvas; N may be 0.
        colours: N RGB colours.

    Returns:
        The canvas, or a new one of its shape.
    """
    if not len(boxes):
        return canvas
    palette = sv.ColorPalette([sv.Color(*values) for values in colours[::-1]])
    thickness = max(2, round(math.sqrt(canvas.shape[0] * canvas.shape[1]) / 350))
    annotator = sv.BoxAnnotator(
        color=palette, thickness=thickness, color_lookup=sv.ColorLookup.INDEX
    )
    # supervision draws in BGR
    bgr = np.ascontiguousarray(canvas[..., ::-1])
    return np.ascontiguousarray(annotator.annotate(bgr, sv.Detections(xyxy=boxes[::-1]))[..., ::-1])

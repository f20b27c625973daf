"""Box outlines and their colours."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence

import numpy as np
import supervision as sv

from ovarnet.drawing.plates import Label, Plate
from ovarnet.structures import Detections


def box_colours(found: Detections) -> list[tuple[int, int, int]]:
    """One RGB colour per box: by category word, so that a word keeps its colour over images; by box
    where there are no categories.
    """
    indices = (
        found.category_scores.argmax(dim=1).tolist() if found.categories else range(len(found))
    )
    return [colour(index) for index in indices]


def colour(index: int) -> tuple[int, int, int]:
    """Hues a golden section apart, so that neighbours differ; every other one is darker."""
    red, green, blue = colorsys.hsv_to_rgb(
        (0.02 + index * 0.618034) % 1.0, 0.85, (1.0, 0.72)[index % 2]
    )
    return round(red * 255), round(green * 255), round(blue * 255)


def draw_boxes(
    canvas: np.ndarray, boxes: np.ndarray, plates: Sequence[Plate | Label]
) -> np.ndarray:
    """Boxes in the colours of their plates, the first on top."""
    if not len(boxes):
        return canvas
    palette = sv.ColorPalette([sv.Color(*plate.colour) for plate in plates[::-1]])
    thickness = max(2, round(math.sqrt(canvas.shape[0] * canvas.shape[1]) / 350))
    annotator = sv.BoxAnnotator(
        color=palette, thickness=thickness, color_lookup=sv.ColorLookup.INDEX
    )
    bgr = annotator.annotate(
        np.ascontiguousarray(canvas[..., ::-1]), sv.Detections(xyxy=boxes[::-1])
    )  # supervision draws in BGR
    return np.ascontiguousarray(bgr[..., ::-1])

"""The part of an image that each detection covers, as arrays and as files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ovarnet.drawing.image_file import write_image
from ovarnet.io.images import read_image
from ovarnet.structures import Detections

if TYPE_CHECKING:
    from ovarnet.io.images import ImageLike

LONGEST_CATEGORY = 40
"""Characters of a category in a file name."""


def cut_crops(image: ImageLike, found: Detections) -> list[np.ndarray]:
    """Cut out each box, widened to whole pixels and clipped to the image.

    Args:
        image: whatever `detect` takes.
        found: N boxes in pixels of `image`.

    Returns:
        N arrays (H, W, 3) uint8 RGB of at least one pixel, in the order of the boxes.
    """
    pixels = read_image(image)
    height, width = pixels.shape[:2]
    boxes = found.boxes.double().cpu().numpy()
    upper_left = np.clip(np.floor(boxes[:, :2]), 0, [width - 1, height - 1])
    lower_right = np.clip(np.ceil(boxes[:, 2:]), upper_left + 1, [width, height])
    corners = np.concatenate([upper_left, lower_right], axis=1).astype(int).tolist()
    return [pixels[y1:y2, x1:x2].copy() for x1, y1, x2, y2 in corners]


def write_crops(
    folder: str | Path,
    stem: str,
    image: ImageLike,
    found: Detections,
    numbers: Sequence[int] | None = None,
) -> list[Path]:
    """Write each box as a JPEG file, see `crop_name`.

    Args:
        folder: made where it is missing.
        stem: what the names begin with, one for each image.
        image: whatever `detect` takes.
        found: N boxes in pixels of `image`.
        numbers: of the boxes; None: 1 to N.

    Returns:
        The N files, in the order of the boxes.
    """
    numbers = range(1, len(found) + 1) if numbers is None else numbers
    files = [
        Path(folder) / crop_name(stem, number, category)
        for number, category in zip(numbers, found.best_category, strict=True)
    ]
    for file, crop in zip(files, cut_crops(image, found), strict=True):
        write_image(file, crop)
    return files


def crop_name(stem: str, number: int, category: str | None) -> str:
    """A file name such as photo_1_traffic-light.jpg.

    Letters and digits of any script stay, all else becomes a hyphen. So the last underscores divide
    the name into its parts, and two boxes of two images never share one.

    Args:
        stem: of the image.
        number: of the box in its image.
        category: its best category; None or no letter at all: left out.
    """
    word = re.sub(r"[\W_]+", "-", category or "")[:LONGEST_CATEGORY].strip("-")
    return "_".join(part for part in (stem, str(number), word) if part) + ".jpg"

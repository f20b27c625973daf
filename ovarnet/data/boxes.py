"""Boxes of annotation files: checked, clipped to their image, what is unusable noted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ovarnet.data.fields import as_number
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped
from ovarnet.structures import are_fractions

SUB_PIXEL = 1.0
"""A box may reach this many pixels outside its image without a note: COCO's own are so rounded."""

SMALLEST_SIDE = 0.01
"""Pixels. A narrower box is not seen by anybody, and its width vanishes in float32."""


def four_numbers(values: object) -> list[float] | None:
    """`values` as four finite numbers, None if they are anything else."""
    if not isinstance(values, list) or len(values) != 4:
        return None
    numbers = [as_number(value) for value in values]
    found = [number for number in numbers if number is not None]
    return found if len(found) == 4 else None


def has_area(corners: list[float]) -> bool:
    """Whether a box x1, y1, x2, y2 is wide and high enough to be one."""
    x1, y1, x2, y2 = corners
    return x2 - x1 >= SMALLEST_SIDE and y2 - y1 >= SMALLEST_SIDE


def checked_xywh(
    values: object, height: int, width: int, item: str, skipped: Skipped
) -> list[float] | None:
    """Check the box of a record.

    Args:
        values: what the record holds; x, y, width, height in pixels.
        height: of the image in pixels.
        width: of the image in pixels.
        item: what the box belongs to, for notes.
        skipped: where to note what is wrong.

    Returns:
        x1, y1, x2, y2 within the image; None, with a note, if the box is unusable.
    """
    numbers = four_numbers(values)
    if numbers is None:
        skipped.add("box is not four finite numbers", f"{item}: {values}")
        return None
    x, y, w, h = numbers
    return checked_corners([x, y, x + w, y + h], height, width, f"{item}: {values}", skipped)


def checked_corners(
    corners: list[float], height: int, width: int, item: str, skipped: Skipped
) -> list[float] | None:
    """Check a box x1, y1, x2, y2 and clip it to its image.

    Args:
        corners: four finite numbers in pixels.
        height: of the image in pixels.
        width: of the image in pixels.
        item: what the box belongs to and its numbers in the file, for notes.
        skipped: where to note what is wrong; a clip of more than a pixel is noted too.

    Returns:
        x1, y1, x2, y2 within the image; None, with a note, if the box has no area in it.
    """
    if not has_area(corners):
        skipped.add("box has no area", item)
        return None
    x1, y1, x2, y2 = corners
    if x1 >= 0 and y1 >= 0 and x2 <= width and y2 <= height:
        return corners
    box = [max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height))]
    if not has_area(box):
        skipped.add("box lies outside the image", f"{item} in {width} x {height}")
        return None
    if max(abs(a - b) for a, b in zip(box, corners, strict=True)) > SUB_PIXEL:
        skipped.add("part of the box outside the image, clipped", f"{item} in {width} x {height}")
    return box


def refuse_fractions(boxes: Iterable[object], source: str | Path) -> None:
    """Refuse a file whose boxes are all within 0..1, fractions of the image instead of pixels.

    Args:
        boxes: the boxes of all records as they stand in the file.
        source: the file, for the message.

    Raises:
        InputError: there are usable boxes, and all are within 0..1.
    """
    if are_fractions(box for values in boxes if (box := four_numbers(values)) is not None):
        raise InputError(
            f"{source}: all boxes lie within 0..1, as fractions of the image; write them in pixels "
            "(multiply by the width and height of the image)"
        )

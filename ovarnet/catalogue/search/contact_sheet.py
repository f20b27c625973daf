"""A picture of what a search found: photos in rows, best first, with title and score."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from ovarnet.catalogue.search.index import Hit
from ovarnet.drawing.fonts import BOLD, REGULAR, font
from ovarnet.io.images import read_image

SIDE, MARGIN, TEXT = 160, 10, 46
"""Pixels: of a photo's square, between squares, and of the two lines under one."""
FONT_SIZE, CHARACTERS, LINES = 12, 24, 2


def contact_sheet(rows: Sequence[tuple[str, Sequence[Hit]]]) -> np.ndarray:
    """Draw the hits of some queries.

    Args:
        rows: Of each query its text, "" for none, and its hits, best first.

    Returns:
        (H, W, 3) uint8 RGB on white.
    """
    columns = max([1, *(len(hits) for _, hits in rows)])
    heading = FONT_SIZE + 2 * MARGIN
    height = len(rows) * (heading + SIDE + TEXT + MARGIN) + MARGIN
    width = columns * (SIDE + MARGIN) + MARGIN
    sheet = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(sheet)
    top = MARGIN
    for text, hits in rows:
        pen.text((MARGIN, top), text, font=font(BOLD, FONT_SIZE + 3), fill="black")
        for column, hit in enumerate(hits):
            place = (MARGIN + column * (SIDE + MARGIN), top + heading)
            _paste(sheet, pen, place, hit)
        top += heading + SIDE + TEXT + MARGIN
    return np.asarray(sheet)


def _paste(sheet: Image.Image, pen: ImageDraw.ImageDraw, place: tuple[int, int], hit: Hit) -> None:
    """One photo, its aspect kept, on its square, and its caption under it."""
    left, top = place
    photo = Image.fromarray(read_image(hit.product.image))
    photo.thumbnail((SIDE, SIDE))
    sheet.paste(photo, (left + (SIDE - photo.width) // 2, top + (SIDE - photo.height) // 2))
    pen.rectangle((left, top, left + SIDE - 1, top + SIDE - 1), outline=(210, 210, 210))
    text = f"{hit.score:.2f}  {hit.product.title}"
    lines = textwrap.wrap(text, CHARACTERS, max_lines=LINES, placeholder=" ...")
    pen.multiline_text(
        (left, top + SIDE + 4), "\n".join(lines), font=font(REGULAR, FONT_SIZE), fill="black"
    )

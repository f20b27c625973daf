"""Plates: text on a coloured ground, drawn onto a picture with lines to the boxes they name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from ovarnet.drawing.boxes import RGB
from ovarnet.drawing.fonts import BOLD, REGULAR, Run, runs
from ovarnet.drawing.label_placement import distance, leader
from ovarnet.drawing.label_text import LabelText, wrapped

MIN_DETAIL_SIZE = 11
"""Font size of attributes, at least."""


@dataclass
class Plate:
    """Lines of text on a coloured ground; width, height and margin in pixels."""

    lines: list[list[Run]]
    colour: RGB
    width: int
    height: int
    margin: int

    @classmethod
    def of(cls, title: list[str], details: list[str], colour: RGB, font_size: int) -> Plate:
        """A plate as large as its text: title lines in bold, detail lines in a smaller font."""
        detail_size = max(MIN_DETAIL_SIZE, round(font_size * 0.85))
        lines = [runs(line, BOLD, font_size) for line in title]
        lines += [runs(line, REGULAR, detail_size) for line in details]

        margin = max(2, font_size // 5)
        width = max(math.ceil(sum(font.getlength(text) for text, font in line)) for line in lines)
        height = sum(sum(_ascent_descent(line)) for line in lines)
        return cls(lines, colour, width + 2 * margin, height + 2 * margin, margin)

    def draw(self, pen: ImageDraw.ImageDraw, x: float, y: float) -> None:
        """Draw with the upper left corner at x, y, in black or white, whichever reads better."""
        pen.rectangle((x, y, x + self.width - 1, y + self.height - 1), fill=self.colour)
        ink = "black" if np.dot(self.colour, (0.299, 0.587, 0.114)) > 140 else "white"
        top = y + self.margin
        for line in self.lines:
            left, (ascent, descent) = x + self.margin, _ascent_descent(line)
            for text, font in line:
                pen.text((left, top + ascent), text, font=font, fill=ink, anchor="ls")
                left += font.getlength(text)
            top += ascent + descent


@dataclass
class Label:
    """The text, the colour and the number of one box."""

    text: LabelText
    colour: RGB
    number: int

    def plate(self, font_size: int, prefix: str) -> Plate:
        """The whole text, its first line after `prefix`."""
        title, details = self.text
        return Plate.of(wrapped(title, prefix), wrapped(details), self.colour, font_size)

    def tag(self, font_size: int) -> Plate:
        """The number alone."""
        return Plate.of([str(self.number)], [], self.colour, font_size)


def plate_sizes(plates: Sequence[Plate]) -> np.ndarray:
    """(N, 2) width and height of each plate."""
    return np.array([(plate.width, plate.height) for plate in plates], dtype=float).reshape(-1, 2)


def draw_plates(
    canvas: np.ndarray, plates: Sequence[Plate], positions: np.ndarray, boxes: np.ndarray
) -> np.ndarray:
    """Draw plates, and a line from each one that does not touch its box.

    Args:
        canvas: (H, W, 3) uint8 RGB.
        plates: N plates.
        positions: (N, 4) xyxy of the plates, in pixels of the canvas.
        boxes: (N, 4) xyxy of their boxes, in the same frame.

    Returns:
        A new canvas of the same shape.
    """
    picture = Image.fromarray(canvas)
    pen = ImageDraw.Draw(picture)
    for plate, position, box in zip(plates, positions, boxes, strict=True):
        if distance(position[None], box)[0] > 1:
            ends = leader(position, box).flatten().tolist()
            pen.line(ends, fill="black", width=4)
            pen.line(ends, fill=plate.colour, width=2)
    # Plates come after all lines, so that no line crosses a text.
    for plate, position in zip(plates, positions, strict=True):
        x, y = position[:2].round()
        plate.draw(pen, x, y)
    return np.asarray(picture)


def _ascent_descent(line: list[Run]) -> tuple[int, int]:
    ascents, descents = zip(*(font.getmetrics() for _, font in line), strict=True)
    return max(ascents), max(descents)

"""Plates: text on a coloured ground, and how they are drawn onto a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ovarnet.drawing.fonts import BOLD, REGULAR, runs
from ovarnet.drawing.label_placement import distance, leader
from ovarnet.drawing.label_text import Text, wrapped


@dataclass
class Plate:
    """A text on a coloured ground: `lines` of parts (text, font), width and height in pixels."""

    lines: list[list[tuple[str, ImageFont.FreeTypeFont]]]
    colour: tuple[int, int, int]
    width: int
    height: int
    margin: int

    @classmethod
    def of(
        cls, title: list[str], details: list[str], colour: tuple[int, int, int], size: int
    ) -> Plate:
        """The lines of the title are bold, those of the details smaller."""
        lines = [runs(line, BOLD, size) for line in title] + [
            runs(line, REGULAR, max(11, round(size * 0.85))) for line in details
        ]
        margin = max(2, size // 5)
        width = (
            max(math.ceil(sum(face.getlength(text) for text, face in line)) for line in lines)
            + 2 * margin
        )
        return cls(
            lines,
            colour,
            width,
            sum(sum(_ascent_descent(line)) for line in lines) + 2 * margin,
            margin,
        )

    def draw(self, pen: ImageDraw.ImageDraw, x: float, y: float) -> None:
        pen.rectangle((x, y, x + self.width - 1, y + self.height - 1), fill=self.colour)
        ink = "black" if np.dot(self.colour, (0.299, 0.587, 0.114)) > 140 else "white"
        top = y + self.margin
        for line in self.lines:
            left, (ascent, descent) = x + self.margin, _ascent_descent(line)
            for text, face in line:
                pen.text((left, top + ascent), text, font=face, fill=ink, anchor="ls")
                left += face.getlength(text)
            top += ascent + descent


@dataclass
class Label:
    """What is written about one box."""

    text: Text
    colour: tuple[int, int, int]
    number: int

    def plate(self, size: int, before: str) -> Plate:
        title, details = self.text
        return Plate.of(wrapped(title, before), wrapped(details), self.colour, size)

    def tag(self, size: int) -> Plate:
        return Plate.of([str(self.number)], [], self.colour, size)


def _ascent_descent(line: list[tuple[str, ImageFont.FreeTypeFont]]) -> tuple[int, int]:
    ascents, descents = zip(*(face.getmetrics() for _, face in line), strict=True)
    return max(ascents), max(descents)


def plate_sizes(plates: list[Plate]) -> np.ndarray:
    return np.array([(plate.width, plate.height) for plate in plates], dtype=float).reshape(-1, 2)


def draw_plates(
    canvas: np.ndarray, plates: list[Plate], positions: np.ndarray, boxes: np.ndarray
) -> np.ndarray:
    picture = Image.fromarray(canvas)
    pen = ImageDraw.Draw(picture)
    for plate, position, box in zip(plates, positions, boxes, strict=True):
        if distance(position[None], box)[0] > 1:
            ends = [tuple(end) for end in leader(position, box)]
            pen.line(ends, fill="black", width=4)
            pen.line(ends, fill=plate.colour, width=2)
    for plate, position in zip(plates, positions, strict=True):
        plate.draw(pen, *position[:2].round())
    return np.asarray(picture)

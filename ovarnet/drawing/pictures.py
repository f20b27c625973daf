"""Pictures: boxes with category and attributes, training curves. Images are (H, W, 3) uint8 RGB
arrays.
"""

from __future__ import annotations

import colorsys
import functools
import logging
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import supervision as sv
from PIL import Image, ImageDraw, ImageFont

from ovarnet.drawing.fonts import BOLD, REGULAR, drawable, runs
from ovarnet.drawing.label_placement import distance, leader, place, place_some
from ovarnet.io.files import whole_file
from ovarnet.io.images import read_image
from ovarnet.structures import Detections

SHORT_SIDE, LONG_SIDE = (
    640,
    4096,
)  # smaller images are enlarged so that text fits, larger ones are shrunk
LINE_LENGTH, MOST_LINES = 28, 4  # characters per line of a plate, lines for one text
WORD_LENGTH = (
    45  # characters shown of one word: it, its score and a number always fit in MOST_LINES
)
LISTED = 100  # boxes in a picture that has no room for their texts
NARROWEST = 160  # pixels that number tags need
NAMED = 5  # words in one warning
WHITE = (255, 255, 255)
ATTRIBUTE_THRESHOLD = 0.5
NO_BREAK = "\xa0"  # keeps a score on the line of its word

logger = logging.getLogger(__name__)


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
    colours = _colours(found) if ranks is None else [_colour(rank) for rank in ranks]
    texts = _texts(
        found,
        *_names(tuple(found.categories), tuple(found.attributes)),
        top_attributes,
        attribute_threshold,
    )
    ordered = [
        Entry(texts[index], colours[index], position if ranks is None else ranks[index])
        for position, index in enumerate(order, start=1)
    ]
    size = max(13, round(math.sqrt(canvas.shape[0] * canvas.shape[1]) / 52))

    plates = [entry.plate(size, "" if ranks is None else f"{entry.number} ") for entry in ordered]
    positions = place(boxes, _sizes(plates), canvas.shape[1], canvas.shape[0])
    if positions is None:
        return _numbered(canvas, boxes, ordered, size)
    return _draw_plates(_draw_boxes(canvas, boxes, plates), plates, positions, boxes)


def summary(
    found: Detections, top_attributes: int = 3, attribute_threshold: float = ATTRIBUTE_THRESHOLD
) -> list[str]:
    """One line per box, in the order given: ``mug 0.83: red 0.91, striped 0.72``."""
    texts = _texts(found, found.categories, found.attributes, top_attributes, attribute_threshold)
    return [
        ": ".join(", ".join(f"{word} {score}" for word, score in part) for part in text if part)
        for text in texts
    ]


def curves(history: Mapping[str, Sequence[tuple[int, float]]], path: str | Path) -> None:
    """Training curves as a PNG: one small plot per name, over the steps. `history` holds (step,
    value) pairs per name, maybe none.
    """
    from matplotlib.figure import Figure

    columns = min(3, max(1, len(history)))
    rows = max(1, math.ceil(len(history) / columns))
    figure = Figure(figsize=(4 * columns, 2.6 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for axis, (name, points) in zip(axes, history.items(), strict=False):
        axis.plot(*zip(*points, strict=True), linewidth=1) if points else None
        axis.set_title(name, fontsize=9)
        axis.set_xlabel("step", fontsize=8)
        axis.tick_params(labelsize=8)
        axis.grid(alpha=0.3)
    for axis in axes[len(history) :]:
        axis.set_axis_off()
    with whole_file(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=110)


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write a picture as JPEG or PNG, by the suffix of `path`; the file appears only when it is
    complete. Missing folders are made.
    """
    png = Path(path).suffix.lower() == ".png"
    with whole_file(path) as unfinished:
        Image.fromarray(image).save(
            unfinished, format="PNG" if png else "JPEG", **({} if png else {"quality": 90})
        )


Text = tuple[list[tuple[str, str]], list[tuple[str, str]]]
"""The words of a box with their scores: its category, its attributes."""


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
class Entry:
    """What is said of one box."""

    text: Text
    colour: tuple[int, int, int]
    number: int

    def plate(self, size: int, before: str) -> Plate:
        title, details = self.text
        return Plate.of(_wrapped(title, before), _wrapped(details), self.colour, size)

    def tag(self, size: int) -> Plate:
        return Plate.of([str(self.number)], [], self.colour, size)


def _ascent_descent(line: list[tuple[str, ImageFont.FreeTypeFont]]) -> tuple[int, int]:
    ascents, descents = zip(*(face.getmetrics() for _, face in line), strict=True)
    return max(ascents), max(descents)


def _wrapped(entries: list[tuple[str, str]], before: str = "") -> list[str]:
    """Lines of words with their scores: as many entries as MOST_LINES hold, whole, and "…" for
    those left out.
    """
    shown, lines = [_entry(word, score) for word, score in entries], []
    for count in range(len(shown), 0, -1):
        text = before + ", ".join(shown[:count] + ["…"] * (count < len(shown)))
        lines = textwrap.wrap(text, LINE_LENGTH, break_on_hyphens=False)
        if len(lines) <= MOST_LINES:
            break
    return [line.replace(NO_BREAK, " ") for line in lines]


def _entry(word: str, score: str) -> str:
    """The word, shortened so that its score always finds room, and the score on a line with the end
    of it.
    """
    word = (
        word
        if len(word) <= WORD_LENGTH
        else f"{textwrap.wrap(word, WORD_LENGTH - 2, break_on_hyphens=False)[0]} …"
    )
    start, space, end = word.rpartition(" ")
    # 2: the space and a comma
    return f"{start}{space}{' '.join(textwrap.wrap(end, LINE_LENGTH - len(score) - 2))}{NO_BREAK}{score}"


def _texts(
    found: Detections,
    categories: Sequence[str],
    attributes: Sequence[str],
    top: int,
    threshold: float,
) -> list[Text]:
    """The words for each box: ([("mug", "0.83")], [("red", "0.91"), ("striped", "0.72")])."""
    titles = (
        [categories[column] for column in found.category_scores.argmax(dim=1).tolist()]
        if categories
        else ["object"] * len(found)
    )
    texts = []
    for title, score, scores in zip(
        titles, found.scores.tolist(), found.attribute_scores, strict=True
    ):
        best = [
            column
            for column in scores.argsort(descending=True).tolist()[:top]
            if scores[column] >= threshold
        ]
        texts.append(
            (
                [(title, f"{score:.2f}")],
                [(attributes[column], f"{float(scores[column]):.2f}") for column in best],
            )
        )
    return texts


@functools.lru_cache(
    maxsize=16
)  # the same words come with every image of a run: one warning for all of them
def _names(categories: tuple[str, ...], attributes: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The words as they are drawn; what no font has is warned of, and named by its number."""
    lacking, names = [], []
    for words, kind, face in ((categories, "category", BOLD), (attributes, "attribute", REGULAR)):
        names.append(
            [
                word if drawable(word, face) else f"{kind}{NO_BREAK}{number}"
                for number, word in enumerate(words, start=1)
            ]
        )
        lacking += [
            f"{word} ({kind} {number})"
            for number, word in enumerate(words, start=1)
            if word != names[-1][number - 1]
        ]
    if lacking:
        more = f" and {len(lacking) - NAMED} more" if len(lacking) > NAMED else ""
        logger.warning(
            "no font here can draw %s%s: pictures show the names in brackets; install a font for "
            "them, such as Noto",
            ", ".join(lacking[:NAMED]),
            more,
        )
    return names[0], names[1]


def _resized(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The canvas, and the (4,) factors that bring xyxy boxes onto it."""
    height, width = image.shape[:2]
    factor = min(max(1.0, SHORT_SIDE / min(height, width)), LONG_SIDE / max(height, width))
    new = max(1, round(width * factor)), max(1, round(height * factor))
    interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    canvas = image.copy() if factor == 1 else cv2.resize(image, new, interpolation=interpolation)
    return canvas, np.array([new[0] / width, new[1] / height] * 2)


def _colours(found: Detections) -> list[tuple[int, int, int]]:
    """One RGB colour per box: by category word, so that a word keeps its colour over images; by box
    where there are no categories.
    """
    indices = (
        found.category_scores.argmax(dim=1).tolist() if found.categories else range(len(found))
    )
    return [_colour(index) for index in indices]


def _colour(index: int) -> tuple[int, int, int]:
    """Hues a golden section apart, so that neighbours differ; every other one is darker."""
    red, green, blue = colorsys.hsv_to_rgb(
        (0.02 + index * 0.618034) % 1.0, 0.85, (1.0, 0.72)[index % 2]
    )
    return round(red * 255), round(green * 255), round(blue * 255)


def _draw_boxes(
    canvas: np.ndarray, boxes: np.ndarray, plates: Sequence[Plate | Entry]
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


def _sizes(plates: list[Plate]) -> np.ndarray:
    return np.array([(plate.width, plate.height) for plate in plates], dtype=float).reshape(-1, 2)


def _draw_plates(
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


def _numbered(canvas: np.ndarray, boxes: np.ndarray, entries: list[Entry], size: int) -> np.ndarray:
    """The picture of the first LISTED boxes with number tags, and beside it a list of their
    texts.
    """
    more = len(entries) - LISTED
    boxes, entries = boxes[:LISTED], entries[:LISTED]
    canvas = _with_room(_draw_boxes(canvas, boxes, entries))
    tags = [entry.tag(size) for entry in entries]
    kept, positions = place_some(boxes, _sizes(tags), canvas.shape[1], canvas.shape[0])
    canvas = _draw_plates(canvas, [tags[index] for index in kept], positions, boxes[kept])
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
        SHORT_SIDE,
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

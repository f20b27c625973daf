"""Pictures: boxes with category and attributes, training curves. Images are (H, W, 3) uint8 RGB arrays."""

from __future__ import annotations

import colorsys
import functools
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import supervision as sv
from PIL import Image, ImageDraw, ImageFont

from ovarnet.files import whole_file
from ovarnet.label_placement import distance, leader, place
from ovarnet.structures import Detections

SHORT_SIDE, LONG_SIDE = 640, 4096  # smaller images are enlarged so that text fits, larger ones are shrunk
LINE_LENGTH, MOST_LINES = 28, 4  # characters per line of a plate, lines for one text
ATTRIBUTE_THRESHOLD = 0.5
NO_BREAK = "\xa0"  # keeps a score on the line of its word


def draw(image: np.ndarray, found: Detections, *, top_attributes: int = 3, attribute_threshold: float = ATTRIBUTE_THRESHOLD,
         ranks: Sequence[int] | None = None) -> np.ndarray:
    """The image with each box, its best category and its best attributes. ranks: numbers that stand before the words of each box; boxes
    then have a colour each.

    Returns a new (H', W', 3) picture: enlarged to a short side of 640 where smaller. Where the text plates of all boxes find room,
    each stands at its box; otherwise boxes carry numbers and the texts stand in a list at the right.
    """
    canvas, scale = _resized(image)
    boxes = found.boxes.double().numpy() * scale
    order = np.argsort(-found.scores.numpy(), kind="stable")
    colours = _colours(found) if ranks is None else [_colour(rank) for rank in ranks]
    texts = [_text(found, index, top_attributes, attribute_threshold) for index in range(len(found))]
    if ranks is not None:
        texts = [(f"{rank}{NO_BREAK}{title}", details) for rank, (title, details) in zip(ranks, texts, strict=True)]
    canvas = _draw_boxes(canvas, boxes[order[::-1]], [colours[index] for index in order[::-1]])  # the best box is drawn last, on top

    size = max(13, round(math.sqrt(canvas.shape[0] * canvas.shape[1]) / 52))
    plates = [Plate.of(*texts[index], colours[index], size) for index in order]
    positions = place(boxes[order], _sizes(plates), canvas.shape[1], canvas.shape[0])
    if positions is not None:
        return _draw_plates(canvas, plates, positions, boxes[order])
    tags = [Plate.of(str(number), "", plate.colour, size) for number, plate in enumerate(plates, start=1)]
    canvas = _draw_plates(canvas, tags, _tag_positions(boxes[order], tags, canvas), boxes[order])
    return _beside(canvas, [Plate.of(f"{number}  {texts[index][0]}", texts[index][1], colours[index], size)
                            for number, index in enumerate(order, start=1)])


def summary(found: Detections, top_attributes: int = 3, attribute_threshold: float = ATTRIBUTE_THRESHOLD) -> list[str]:
    """One line per box, in the order given: ``mug 0.83: red 0.91, striped 0.72``."""
    texts = [_text(found, index, top_attributes, attribute_threshold) for index in range(len(found))]
    return [(f"{title}: {details}" if details else title).replace(NO_BREAK, " ") for title, details in texts]


def curves(history: Mapping[str, Sequence[tuple[int, float]]], path: str | Path) -> None:
    """Training curves as a PNG: one small plot per name, over the steps. `history` holds (step, value) pairs per name, maybe none."""
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
    for axis in axes[len(history):]:
        axis.set_axis_off()
    with whole_file(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=110)


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write a picture as JPEG or PNG, by the suffix of `path`; the file appears only when it is complete. Missing folders are made."""
    png = Path(path).suffix.lower() == ".png"
    with whole_file(path) as unfinished:
        Image.fromarray(image).save(unfinished, format="PNG" if png else "JPEG", **({} if png else {"quality": 90}))


@dataclass
class Plate:
    """A text on a coloured ground: `lines` of (text, font), width and height in pixels."""

    lines: list[tuple[str, ImageFont.FreeTypeFont]]
    colour: tuple[int, int, int]
    width: int
    height: int
    margin: int

    @classmethod
    def of(cls, title: str, details: str, colour: tuple[int, int, int], size: int) -> Plate:
        fonts = ((title, font("DejaVuSans-Bold.ttf", size)), (details, font("DejaVuSans.ttf", max(11, round(size * 0.85)))))
        lines = [(line, face) for text, face in fonts for line in _wrapped(text)]
        margin = max(2, size // 5)
        width = max(math.ceil(face.getlength(text)) for text, face in lines) + 2 * margin
        return cls(lines, colour, width, sum(_line_height(face) for _, face in lines) + 2 * margin, margin)

    def draw(self, pen: ImageDraw.ImageDraw, x: float, y: float) -> None:
        pen.rectangle((x, y, x + self.width - 1, y + self.height - 1), fill=self.colour)
        ink = "black" if np.dot(self.colour, (0.299, 0.587, 0.114)) > 140 else "white"
        top = y + self.margin
        for text, face in self.lines:
            pen.text((x + self.margin, top), text, font=face, fill=ink)
            top += _line_height(face)


@functools.lru_cache(maxsize=64)
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """A font that comes with matplotlib (Latin, Greek, Cyrillic, Arabic and more; no Chinese, Japanese or Korean)."""
    import matplotlib

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)


def _line_height(face: ImageFont.FreeTypeFont) -> int:
    return sum(face.getmetrics())


def _wrapped(text: str) -> list[str]:
    lines = textwrap.wrap(text, LINE_LENGTH, break_on_hyphens=False)
    lines = lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES - 1], lines[MOST_LINES - 1][:LINE_LENGTH - 1] + "…"]
    return [line.replace(NO_BREAK, " ") for line in lines]


def _text(found: Detections, index: int, top: int, threshold: float) -> tuple[str, str]:
    """The words for one box: ("mug 0.83", "red 0.91, striped 0.72")."""
    title = f"{found.best_category[index] or 'object'}{NO_BREAK}{float(found.scores[index]):.2f}"
    scores = found.attribute_scores[index]
    best = [column for column in scores.argsort(descending=True).tolist()[:top] if scores[column] >= threshold]
    return title, ", ".join(f"{found.attributes[column]}{NO_BREAK}{float(scores[column]):.2f}" for column in best)


def _resized(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The canvas, and the (4,) factors that bring xyxy boxes onto it."""
    height, width = image.shape[:2]
    factor = min(max(1.0, SHORT_SIDE / min(height, width)), LONG_SIDE / max(height, width))
    new = max(1, round(width * factor)), max(1, round(height * factor))
    interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    canvas = image.copy() if factor == 1 else cv2.resize(image, new, interpolation=interpolation)
    return canvas, np.array([new[0] / width, new[1] / height] * 2)


def _colours(found: Detections) -> list[tuple[int, int, int]]:
    """One RGB colour per box: by category word, so that a word keeps its colour over images; by box where there are no categories."""
    indices = found.category_scores.argmax(dim=1).tolist() if found.categories else range(len(found))
    return [_colour(index) for index in indices]


def _colour(index: int) -> tuple[int, int, int]:
    """Hues a golden section apart, so that neighbours differ; every other one is darker."""
    red, green, blue = colorsys.hsv_to_rgb((0.02 + index * 0.618034) % 1.0, 0.85, (1.0, 0.72)[index % 2])
    return round(red * 255), round(green * 255), round(blue * 255)


def _draw_boxes(canvas: np.ndarray, boxes: np.ndarray, colours: list[tuple[int, int, int]]) -> np.ndarray:
    if not len(boxes):
        return canvas
    palette = sv.ColorPalette([sv.Color(*colour) for colour in colours])
    thickness = max(2, round(math.sqrt(canvas.shape[0] * canvas.shape[1]) / 350))
    annotator = sv.BoxAnnotator(color=palette, thickness=thickness, color_lookup=sv.ColorLookup.INDEX)
    bgr = annotator.annotate(np.ascontiguousarray(canvas[..., ::-1]), sv.Detections(xyxy=boxes))  # supervision draws in BGR
    return np.ascontiguousarray(bgr[..., ::-1])


def _sizes(plates: list[Plate]) -> np.ndarray:
    return np.array([(plate.width, plate.height) for plate in plates], dtype=float).reshape(-1, 2)


def _draw_plates(canvas: np.ndarray, plates: list[Plate], positions: np.ndarray, boxes: np.ndarray) -> np.ndarray:
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


def _tag_positions(boxes: np.ndarray, tags: list[Plate], canvas: np.ndarray) -> np.ndarray:
    """Places for number tags: free ones where possible, else the upper left corners of the boxes."""
    sizes = _sizes(tags)
    positions = place(boxes, sizes, canvas.shape[1], canvas.shape[0])
    return np.concatenate([boxes[:, :2], boxes[:, :2] + sizes], axis=1) if positions is None else positions


def _beside(canvas: np.ndarray, plates: list[Plate]) -> np.ndarray:
    """The canvas with a list of plates at its right, in as many columns as its height needs."""
    height, gap = max(canvas.shape[0], SHORT_SIDE, max(plate.height for plate in plates) + 8), 4
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

"""Silhouettes of the categories as signed distance maps on a square canvas.

A distance map (positive inside) lets one array draw the body, a ragged body, an outline of any
width and a halo. Lengths are in canvas units; small objects are painted on arrays of fewer pixels
(`side`) of the same canvas.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import cv2
import numpy as np

from ovarnet.errors import InputError
from ovarnet.scenes.world.words import Category

CANVAS = 112
"""Side of the canvas in canvas units."""

GLYPH = 84
"""Longer side of every glyph on the canvas; the rest is room for outline and halo."""

SIDES = (48, 72, 96)
"""Pixels per side that a canvas is drawn with: for small, medium and large objects."""

_OVERSAMPLING = 4  # pixels per canvas unit while a glyph is measured
# cut-outs below this share of the glyph (eyes, windows, lenses) are filled: else every fish looks
# "holed"
_LARGEST_DETAIL = 0.10


@dataclass(frozen=True)
class Silhouette:
    """The shape of a category on the canvas.

    Attributes:
        distance: (h, w) float32 in canvas units, positive inside.
        detail: (h, w) float32 in [0, 1], the filled cut-outs, or None.
        crop: The slices of the whole canvas (side x side pixels) that these arrays hold: the glyph
            and a margin around it.
        core: (K, 2) int x, y in canvas units of points well inside.
        depth: The largest distance.
        extent: Half width and half height of the glyph in canvas units; its centre is that of the
            canvas and of the crop.
    """

    distance: np.ndarray
    detail: np.ndarray | None
    crop: tuple[slice, slice]
    core: np.ndarray
    depth: float
    extent: tuple[float, float]


def _font_file() -> Path:
    try:
        import fontawesomefree
    except ImportError as error:
        raise InputError(
            "the generated world draws its objects with an icon font: pip install 'ovarnet[scenes]'"
        ) from error
    file = (
        Path(fontawesomefree.__file__).parent
        / "static"
        / "fontawesomefree"
        / "webfonts"
        / "fa-solid-900.ttf"
    )
    if not file.is_file():
        raise InputError(
            f"the icon font is missing in the installed fontawesomefree: {file}; "
            "pip install --force-reinstall 'ovarnet[scenes]'"
        )
    return file


@lru_cache(maxsize=1)
def _font():
    from PIL import ImageFont

    return ImageFont.truetype(str(_font_file()), 96 * _OVERSAMPLING)


def _glyph_mask(code_point: int) -> np.ndarray:
    """A glyph centred on the oversampled canvas, uint8 0 / 255, its longer side `GLYPH`."""
    from PIL import Image, ImageDraw

    left, top, right, bottom = _font().getbbox(chr(code_point))
    glyph = Image.new("L", (right - left, bottom - top), 0)
    ImageDraw.Draw(glyph).text((-left, -top), chr(code_point), font=_font(), fill=255)
    # the font's box may be wider than its ink
    glyph = glyph.crop(glyph.point(lambda level: 255 * (level > 127)).getbbox())
    scale = GLYPH * _OVERSAMPLING / max(glyph.size)
    width, height = (max(1, round(side * scale)) for side in glyph.size)
    side = CANVAS * _OVERSAMPLING
    canvas = np.zeros((side, side), np.uint8)
    x, y = (side - width) // 2, (side - height) // 2
    canvas[y : y + height, x : x + width] = cv2.resize(
        np.asarray(glyph), (width, height), interpolation=cv2.INTER_AREA
    )
    return np.where(canvas > 127, 255, 0).astype(np.uint8)


def _small_cutouts(mask: np.ndarray) -> np.ndarray:
    """The enclosed background parts of `mask` that are small enough to be a detail, 0 / 255."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(255 - mask, connectivity=4)
    details = np.zeros_like(mask)
    for i in range(1, count):
        x, y, _, _, area = stats[i]
        if x > 0 and y > 0 and area < _LARGEST_DETAIL * (mask > 0).sum():
            details[labels == i] = 255
    return details


@dataclass(frozen=True)
class _Drawing:
    """A glyph measured once, on the whole canvas: maps for each of `SIDES`, and numbers."""

    distance: dict[int, np.ndarray]
    detail: dict[int, np.ndarray] | None
    core: np.ndarray
    depth: float
    extent: tuple[float, float]


@cache
def _drawing(category: Category) -> _Drawing:
    mask = _glyph_mask(category.glyph)
    details = _small_cutouts(mask)
    filled = np.maximum(mask, details)
    inside = cv2.distanceTransform(filled, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outside = cv2.distanceTransform(255 - filled, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    distance = ((inside - outside) / _OVERSAMPLING).astype(np.float32)
    detail = (
        {side: _shrunk(details.astype(np.float32) / 255, side) for side in SIDES}
        if details.any()
        else None
    )
    ys, xs = np.nonzero(mask)
    extent = (
        (xs.max() - xs.min() + 1) / (2 * _OVERSAMPLING),
        (ys.max() - ys.min() + 1) / (2 * _OVERSAMPLING),
    )
    units = _shrunk(distance, CANVAS)
    depth = float(units.max())
    return _Drawing(
        {side: _shrunk(distance, side) for side in SIDES},
        detail,
        np.argwhere(units > 0.6 * depth)[:, ::-1],
        depth,
        extent,
    )


@cache
def silhouette(category: Category, side: int, margin: float) -> Silhouette:
    """The silhouette of a category on a canvas of side x side pixels.

    Args:
        category: Of the object.
        side: One of `SIDES`.
        margin: Around the glyph, in canvas units.
    """
    drawing = _drawing(category)
    columns, rows = (_centred(2 * (half + margin) * side / CANVAS, side) for half in drawing.extent)
    crop = (rows, columns)
    detail = drawing.detail[side][crop] if drawing.detail else None
    return Silhouette(
        np.ascontiguousarray(drawing.distance[side][crop]),
        detail,
        crop,
        drawing.core,
        drawing.depth,
        drawing.extent,
    )


def _centred(length: float, side: int) -> slice:
    """The slice in the middle of `side` (even) pixels that is at least `length` long."""
    cut = max(0, int((side - length) // 2))
    return slice(cut, side - cut)


def _shrunk(picture: np.ndarray, side: int) -> np.ndarray:
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)

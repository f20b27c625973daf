"""Boxes the user brings for images: one JSON file, looked up by image.

Three forms are read, all boxes in pixels of the original image (after its EXIF rotation):
``{"name.jpg": [[x1, y1, x2, y2], ...], ...}``;  COCO instances (``images`` + ``annotations``, bbox = x, y, width, height);
COCO results (a list of ``{"image_id" or "file_name", "bbox"}``; an id is matched with the number or name before the file's suffix).
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor

from ovarnet.errors import InputError
from ovarnet.files import read_json


class BoxFile:
    """The boxes of many images. Raises InputError when the file is none of the three forms."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.rows = self._by_image(read_json(self.path))

    def boxes(self, image: str | Path, width: int, height: int) -> Tensor:
        """The (N, 4) float32 xyxy boxes of one image, in the order of the file; N may be 0.

        Raises InputError when the file does not name the image, or for a box that is not finite, inverted, of no size or
        wholly outside the image (width, height in pixels).
        """
        rows = self.rows[self._key(Path(image))]
        for index, row in enumerate(rows):
            fault = _fault(row, width, height)
            if fault:
                raise InputError(f"{self.path}: image {Path(image).name}, box {index} is {row}: {fault}; correct or remove it")
        return torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)

    def _key(self, image: Path) -> str:
        parts = image.absolute().parts
        names = [Path(*parts[start:]).as_posix() for start in range(len(parts))]
        number = [str(int(image.stem))] if image.stem.isdecimal() else []
        for name in [*names, image.stem, *number]:
            if name in self.rows:
                return name
        known = ", ".join(list(self.rows)[:3]) or "none"
        raise InputError(f"{self.path}: holds no boxes for image {image.name} (it names {known}); add the image, with [] if it has no box")

    def _by_image(self, content: dict | list) -> dict[str, list]:
        if isinstance(content, list):
            return self._group(content, lambda row: str(row.get("file_name", row.get("image_id"))), {})
        if "annotations" not in content:
            return {str(name): self._rows(name, rows) for name, rows in content.items()}
        images = content.get("images", [])
        if not all(isinstance(image, dict) and {"id", "file_name"} <= image.keys() for image in images):
            raise InputError(f"{self.path}: a COCO file needs `id` and `file_name` for each of its images")
        names = {image["id"]: image["file_name"] for image in images}
        return self._group(content["annotations"], lambda row: names.get(row.get("image_id")), {name: [] for name in names.values()})

    def _group(self, entries: list, name_of, grouped: dict[str, list]) -> dict[str, list]:
        for index, entry in enumerate(entries):
            if not isinstance(entry, dict) or "bbox" not in entry or name_of(entry) in (None, "None"):
                raise InputError(f"{self.path}: entry {index} lacks a `bbox` or names no known image; write COCO instances or COCO results")
            name = name_of(entry)
            x, y, width, height = self._rows(name, [entry["bbox"]])[0]
            grouped.setdefault(name, []).append([x, y, x + width, y + height])
        return grouped

    def _rows(self, name: str, rows: list) -> list:
        for index, row in enumerate(rows if isinstance(rows, list) else [rows]):
            numbers = isinstance(row, list) and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in row)
            if not numbers or len(row) != 4:
                raise InputError(f"{self.path}: image {name}, box {index} is {str(row)[:60]}; each box must be a list of 4 numbers")
        return rows


def _fault(row: list[float], width: int, height: int) -> str | None:
    x1, y1, x2, y2 = row
    if not all(math.isfinite(value) for value in row):
        return "every number must be finite"
    if x2 < x1 or y2 < y1:
        return "it is inverted (x1, y1 must be the upper left corner)"
    if x2 == x1 or y2 == y1:
        return "it has no size"
    if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
        return f"it lies outside the image of {width} x {height} pixels"
    return None

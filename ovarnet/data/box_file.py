"""Boxes the user brings for images: one JSON file, looked up by image.

Three forms are read, all boxes in pixels of the original image (after its EXIF rotation):
``{"name.jpg": [[x1, y1, x2, y2], ...], ...}``;  COCO instances (``images`` + ``annotations``, bbox = x, y, width, height);
COCO results (a list of ``{"image_id" or "file_name", "bbox"}``; an id is matched with the number or name before the file's suffix).
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ovarnet.errors import InputError
from ovarnet.files import read_json


class BoxFile:
    """The boxes of many images. Raises InputError when the file is none of the three forms."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.rows = self._by_image(read_json(self.path))

    def boxes(self, image: str | Path) -> list[list[float]]:
        """The N boxes (x1, y1, x2, y2) of one image, in the order of the file, as they stand there; N may be 0.

        Raises InputError when the file does not name the image.
        """
        return self.rows[image_key(image, self.rows, self.path)]

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
        if not isinstance(entries, list):
            raise InputError(f"{self.path}: `annotations` must be a list, as in COCO instances")
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


def image_key(image: str | Path, keys: Collection[str], source: Path) -> str:
    """The key that means `image`: its path or an end of it, its name without suffix, or the number in that name ("000012.jpg": "12").

    Raises InputError when none of `keys` does; `source` is the file they are from.
    """
    image = Path(image)
    parts = image.absolute().parts
    names = [Path(*parts[start:]).as_posix() for start in range(len(parts))]
    number = [str(int(image.stem))] if image.stem.isdecimal() else []
    for name in [*names, image.stem, *number]:
        if name in keys:
            return name
    known = ", ".join(list(keys)[:3]) or "none"
    raise InputError(f"{source}: holds no boxes for image {image.name} (it names {known}); add the image, with [] if it has no box")

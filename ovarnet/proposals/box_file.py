"""Boxes the user brings for images: one JSON file, looked up by image.

Three forms are read, all boxes in pixels of the original image (after its EXIF rotation):

* ``{"name.jpg": [[x1, y1, x2, y2], ...], ...}`` (a fifth number, the score of a proposal, is left
  out);
* COCO instances (``images`` + ``annotations``, bbox = x, y, width, height);
* COCO results (a list of ``{"image_id" or "file_name", "bbox"}``; an id is matched with the number
  or name before the file's suffix).
"""

from __future__ import annotations

import math
import os
import posixpath
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

from ovarnet.data.boxes import refuse_fractions
from ovarnet.errors import InputError
from ovarnet.io.files import path_ends, read_json


class BoxFile:
    """The boxes of many images.

    Args:
        path: the JSON file.
        images: all images of a run, so that a name that means two of them can be refused.

    Raises:
        InputError: the file is none of the three forms, has a key twice, or its boxes are
            fractions of the image instead of pixels.
    """

    def __init__(self, path: str | Path, images: Iterable[str | Path] = ()):
        self.path = Path(path)
        self.rows = self._by_image(read_json(self.path))
        refuse_fractions((row for rows in self.rows.values() for row in rows), self.path)
        self.meant = Counter(find_key(image, self.rows) for image in images)

    def boxes(self, image: str | Path) -> list[list[float]]:
        """The N boxes (x1, y1, x2, y2) of one image, in the order of the file; N may be 0.

        Raises:
            InputError: the file does not name the image, or by a name that means several images of
                the run.
        """
        key = image_key(image, self.rows, self.path)
        if self.meant[key] > 1:
            raise InputError(
                f"{self.path}: {key!r} means {self.meant[key]} of the images, {image} among them; "
                "write as much of each path as tells them apart, such as "
                f"{'/'.join(Path(os.path.abspath(image)).parts[-2:])!r}"
            )
        return self.rows[key]

    def _by_image(self, content: dict[str, Any] | list[Any]) -> dict[str, list[list[float]]]:
        if isinstance(content, list):
            return self._group(
                content, lambda row: _as_name(row.get("file_name", row.get("image_id"))), {}
            )
        if "annotations" not in content:
            rows = {normal_key(name): self._rows(name, rows) for name, rows in content.items()}
            if len(rows) < len(content):
                raise InputError(
                    f"{self.path}: names an image twice, as x.jpg and ./x.jpg; write all its "
                    "boxes under one name"
                )
            return rows
        names = self._image_names(content.get("images", []))
        return self._group(
            content["annotations"],
            lambda row: names.get(_as_name(row.get("image_id")) or ""),
            {normal_key(name): [] for name in names.values()},
        )

    def _image_names(self, images: Any) -> dict[str, str]:
        """Id -> file name of the images of a COCO file."""
        if not isinstance(images, list) or not all(
            isinstance(image, dict)
            and _as_name(image.get("id")) is not None
            and isinstance(image.get("file_name"), str)
            for image in images
        ):
            raise InputError(
                f"{self.path}: a COCO file needs `id` and `file_name` for each of its images, in "
                "a list `images`"
            )
        return {str(image["id"]): image["file_name"] for image in images}

    def _group(
        self,
        entries: Any,
        name_of: Callable[[dict[str, Any]], str | None],
        grouped: dict[str, list[list[float]]],
    ) -> dict[str, list[list[float]]]:
        """Add the boxes of COCO entries to those of their image."""
        if not isinstance(entries, list):
            raise InputError(f"{self.path}: `annotations` must be a list, as in COCO instances")
        for index, entry in enumerate(entries):
            name = name_of(entry) if isinstance(entry, dict) and "bbox" in entry else None
            if name is None:
                raise InputError(
                    f"{self.path}: entry {index} lacks a `bbox` or names no known image; write "
                    "COCO instances or COCO results"
                )
            x, y, width, height = self._rows(name, [entry["bbox"]])[0]
            grouped.setdefault(normal_key(name), []).append([x, y, x + width, y + height])
        return grouped

    def _rows(self, name: str | None, rows: Any) -> list[list[float]]:
        read = []
        for index, row in enumerate(rows if isinstance(rows, list) else [rows]):
            numbers = isinstance(row, list) and all(
                isinstance(value, (int, float)) and not isinstance(value, bool) for value in row
            )
            if not numbers or len(row) not in (4, 5):
                raise InputError(
                    f"{self.path}: image {name}, box {index} is {str(row)[:60]}; each box must be "
                    "a list of 4 numbers"
                )
            read.append([_as_float(value) for value in row[:4]])
        return read


def image_key(image: str | Path, keys: Collection[str], source: Path) -> str:
    """As `find_key`, for an image that must be there.

    Args:
        image: a path.
        keys: as `normal_key` makes them.
        source: the file the keys are from, for the message.

    Raises:
        InputError: none of the keys means the image.
    """
    key = find_key(image, keys)
    if key is None:
        known = ", ".join(list(keys)[:3]) or "none"
        raise InputError(
            f"{source}: holds no boxes for image {Path(image).name} (it names {known}); "
            "add the image, with [] if it has no box"
        )
    return key


def find_key(image: str | Path, keys: Collection[str]) -> str | None:
    """Find the key that means an image.

    It is the image's path or an end of it, its name without suffix, or the number in that name
    ("12" for "000012.jpg").

    Args:
        image: a path.
        keys: as `normal_key` makes them.

    Returns:
        The key, or None.
    """
    stem = Path(image).stem
    number = [str(int(stem))] if stem.isdecimal() else []
    return next(
        (name for name in [normal_key(image), *path_ends(image), stem, *number] if name in keys),
        None,
    )


def normal_key(name: str | Path) -> str:
    """Normalise a path: ./a//x.jpg is a/x.jpg."""
    return posixpath.normpath(Path(name).as_posix())


def _as_name(value: Any) -> str | None:
    """An id or a file name as a string; None for anything else."""
    return str(value) if isinstance(value, (int, str)) else None


def _as_float(value: float) -> float:
    """Infinite for a number of hundreds of digits; it is refused where the image is known."""
    try:
        return float(value)
    except OverflowError:
        return math.inf

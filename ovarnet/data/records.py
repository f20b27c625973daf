"""What every annotation loader does with a record: check it, find its image, and note what it
leaves out.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ovarnet.errors import InputError
from ovarnet.io.images import SUFFIXES
from ovarnet.io.skipped import Skipped

SUB_PIXEL = 1.0
"""A box may reach this many pixels outside its image without a note: rounding, which COCO's own
files contain."""


FARTHEST = 1e9
"""No coordinate in pixels is as large; NaN and infinities fail the comparison too."""


@dataclass(frozen=True)
class ImageRecord:
    """One image of an annotation file: the path of its file, its id as str, its size in pixels."""

    file: str
    image_id: str
    height: int
    width: int


NovelName = Callable[[str], str | None]
"""Name of an object -> the novel category it means, or None
(`ovarnet.training.data.novel_name_filter`)."""
NOVEL_OBJECT = "object of a novel or ignored category, left out of training"

SizeReader = Callable[[str], tuple[int, int]]
"""(height, width) of an image file after EXIF rotation; raises InputError. `read_image_size`, or
the index of `ovarnet prepare`."""


def checked_size(image: ImageRecord, read_size: SizeReader, skipped: Skipped) -> bool:
    """The image file can be opened and has the size of its record, in whose frame the boxes are;
    noted when not.
    """
    try:
        height, width = read_size(image.file)
    except InputError as error:
        skipped.add("image unreadable", str(error))
        return False
    if (height, width) == (image.height, image.width):
        return True
    turned = (
        " (width and height changed places, perhaps by its EXIF rotation)"
        if (width, height) == (image.height, image.width)
        else ""
    )
    skipped.add(
        "image of another size than its record says",
        f"{image.file}: {width} x {height}{turned}, the record says {image.width} x {image.height}",
    )
    return False


class ImageFolder:
    """The image files under a folder, listed once. `None` as folder: names are taken as they are
    and nothing is looked up.
    """

    def __init__(self, folder: str | Path | None):
        self.folder = None if folder is None else Path(folder)
        if self.folder is not None and not self.folder.is_dir():
            raise InputError(
                f"{self.folder}: no such image folder; check the path or put the images there"
            )
        self._listed: dict[Path, set[str]] = {}
        self._by_stem: dict[str, Path] | None = None

    def find(self, name: str) -> str | None:
        """Path of an image by the file name of its record ("a.jpg", "val2017/a.jpg", either slash);
        None: there is no such file.
        """
        if self.folder is None:
            return name
        name = name.replace("\\", "/")
        parents = [self.folder] + (
            [self.folder.parent] if name.startswith(f"{self.folder.name}/") else []
        )
        for parent in parents:
            path = parent / name
            if path.name in self._names(path.parent):
                return str(path)
        return None

    def find_stem(self, stem: str) -> str | None:
        """Path of an image by its name without suffix, in the folder or one level below (Visual
        Genome has VG_100K and VG_100K_2). Files of other kinds, such as 1.txt beside 1.jpg, do not
        count.
        """
        if self.folder is None:
            return f"{stem}.jpg"
        if self._by_stem is None:
            folders = [
                self.folder,
                *sorted(path for path in self.folder.iterdir() if path.is_dir()),
            ]
            self._by_stem = {
                Path(name).stem: folder / name
                for folder in reversed(folders)
                for name in sorted(self._names(folder))
                if Path(name).suffix.lower() in SUFFIXES
            }
        path = self._by_stem.get(stem)
        return None if path is None else str(path)

    def _names(self, folder: Path) -> set[str]:
        if folder not in self._listed:
            is_folder = os.path.isdir(
                folder
            )  # False, not an error, for a name that no file system takes
            self._listed[folder] = (
                {entry.name for entry in os.scandir(folder) if entry.is_file()}
                if is_folder
                else set()
            )
        return self._listed[folder]


def four_numbers(values) -> list[float] | None:
    """`values` when they are four finite numbers, None when they are anything else."""
    if not isinstance(values, list) or len(values) != 4:
        return None
    return (
        values
        if all(isinstance(value, (int, float)) and -FARTHEST < value < FARTHEST for value in values)
        else None
    )


def clipped(corners: list[float], height: int, width: int) -> list[float] | None:
    """x1, y1, x2, y2 clipped to the image; None when nothing of the box is left."""
    x1, y1, x2, y2 = corners
    box = [max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height))]
    return box if box[2] > box[0] and box[3] > box[1] else None


def checked_xywh(
    values, height: int, width: int, item: str, skipped: Skipped
) -> list[float] | None:
    """An x, y, width, height box of a file as x1, y1, x2, y2 inside the image; None, with a note,
    when it is unusable.
    """
    numbers = four_numbers(values)
    if numbers is None:
        return skipped.add("box is not four finite numbers", f"{item}: {values}")
    x, y, w, h = numbers
    if w <= 0 or h <= 0:
        return skipped.add("box has no area", f"{item}: {values}")
    return inside([x, y, x + w, y + h], height, width, item, skipped)


def inside(
    corners: list[float], height: int, width: int, item: str, skipped: Skipped
) -> list[float] | None:
    """The box clipped to the image; None, with a note, when it lies wholly outside. A clip of more
    than a pixel is noted.
    """
    if corners[0] >= 0 and corners[1] >= 0 and corners[2] <= width and corners[3] <= height:
        return corners
    box = clipped(corners, height, width)
    if box is None:
        return skipped.add("box lies outside the image", f"{item}: {corners} in {width} x {height}")
    if max(abs(a - b) for a, b in zip(box, corners, strict=True)) > SUB_PIXEL:
        skipped.add(
            "part of the box outside the image, clipped", f"{item}: {corners} in {width} x {height}"
        )
    return box


def records_of(data: dict, key: str, source: str | Path) -> list[dict]:
    """The list of objects under `key` of a JSON file."""
    records = data.get(key)
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise InputError(
            f"{source}: {key!r} must be a list of objects; is this the right annotation file?"
        )
    return records


def check_ids(ids: list[str], what: str, source: str | Path) -> None:
    """Ids must be unique: a repeated one would silently join two things."""
    name, count = Counter(ids).most_common(1)[0] if ids else ("", 0)
    if count > 1:
        raise InputError(
            f"{source}: {what} id {name} occurs {count} times; give each {what} an id of its own"
        )

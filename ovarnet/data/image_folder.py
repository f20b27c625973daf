"""The image files of a dataset: found by the names in its records, their size checked."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ovarnet.errors import InputError
from ovarnet.io.images import SUFFIXES
from ovarnet.io.skipped import Skipped

SizeReader = Callable[[str], tuple[int, int]]
"""Path of an image -> (height, width) after EXIF rotation; raises InputError.

`ovarnet.io.images.read_image_size`, or the index of ``ovarnet prepare``.
"""


@dataclass(frozen=True)
class ImageRecord:
    """One image of an annotation file.

    Attributes:
        file: path of its file.
        image_id: its id in the annotation file.
        height: in pixels.
        width: in pixels.
    """

    file: str
    image_id: str
    height: int
    width: int


class ImageFolder:
    """The image files under a folder, each folder listed once.

    Args:
        folder: the folder; None takes names as they are and looks nothing up.

    Raises:
        InputError: no such folder.
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
        """Find an image by the file name of its record.

        Args:
            name: "a.jpg", or "val2017/a.jpg" with either slash, inside the folder or beginning with
                the folder's own name.

        Returns:
            Its path; None if there is no such file.
        """
        if self.folder is None:
            return name
        name = name.replace("\\", "/")
        parents = [self.folder]
        if name.startswith(f"{self.folder.name}/"):
            parents.append(self.folder.parent)
        for parent in parents:
            path = parent / name
            if path.name in self._names(path.parent):
                return str(path)
        return None

    def find_stem(self, stem: str) -> str | None:
        """Find an image by its name without suffix, in the folder or one level below.

        Visual Genome has VG_100K and VG_100K_2. Files of other kinds, such as 1.txt beside 1.jpg,
        do not count.

        Returns:
            Its path; None if there is no such file.
        """
        if self.folder is None:
            return f"{stem}.jpg"
        if self._by_stem is None:
            below = sorted(path for path in self.folder.iterdir() if path.is_dir())
            # Reversed: an image of the folder itself goes before one of the same name below.
            self._by_stem = {
                Path(name).stem: folder / name
                for folder in reversed([self.folder, *below])
                for name in sorted(self._names(folder))
                if Path(name).suffix.lower() in SUFFIXES
            }
        path = self._by_stem.get(stem)
        return None if path is None else str(path)

    def _names(self, folder: Path) -> set[str]:
        if folder not in self._listed:
            names = set()
            if os.path.isdir(folder):  # False, not an error, for a name that no file system takes
                names = {entry.name for entry in os.scandir(folder) if _is_file(entry)}
            self._listed[folder] = names
        return self._listed[folder]


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link that leads to itself
        return False


def checked_size(image: ImageRecord, read_size: SizeReader, skipped: Skipped) -> bool:
    """Check that an image file opens and has the size of its record, in whose frame the boxes are.

    Args:
        image: the record.
        read_size: reads the size of the file.
        skipped: where to note what is wrong.

    Returns:
        Whether the image can be used.
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

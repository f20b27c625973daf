"""An index of the image sizes of a dataset, so that loaders need not open every image.

``ovarnet prepare`` measures the images once and writes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ovarnet.data.image_folder import ImageFolder
from ovarnet.io.files import read_json, write_json
from ovarnet.io.images import read_image_size

INDEX = Path("prepared") / "image_sizes.json"
"""{path under the root: [height, width, bytes of the file]}."""


class ImageSizes:
    """Reads the size of image files, from the index where it knows them.

    A file that is not in the index, or has another number of bytes now, is measured. An entry of
    another form is ignored: the index only saves time.

    Args:
        root: folder of the dataset.
    """

    def __init__(self, root: str | Path):
        self.root = Path(root)
        path = self.root / INDEX
        entries = read_json(path, dict) if path.is_file() else {}
        self.known: dict[str, list[int]] = {
            key: entry for key, entry in entries.items() if _is_entry(entry)
        }

    def __call__(self, file: str | Path) -> tuple[int, int]:
        """(height, width) of an image file after EXIF rotation.

        Raises:
            InputError: as `read_image_size`.
        """
        return self.measured(file)[0]

    def measured(self, file: str | Path) -> tuple[tuple[int, int], int]:
        """((height, width), bytes of the file).

        Raises:
            InputError: as `read_image_size`.
        """
        key = self._key(file)
        known = self.known.get(key)
        if known is not None and _bytes(file) == known[2]:
            return (known[0], known[1]), known[2]
        size = read_image_size(file)
        self.known[key] = [*size, _bytes(file)]
        return size, self.known[key][2]

    def save(self, files: Iterable[str | Path]) -> None:
        """Write the index; the same files give the same bytes.

        Args:
            files: image files to keep in it. Others that it knew before, such as those of another
                split, are kept if they still exist.
        """
        # Folders are listed once each: asking for every file takes minutes on a network disk.
        keys, existing = set(map(self._key, files)), ImageFolder(self.root)
        write_json(
            self.root / INDEX,
            {
                key: self.known[key]
                for key in sorted(self.known)
                if key in keys or existing.find(key) is not None
            },
        )

    def _key(self, file: str | Path) -> str:
        text, root = str(file), f"{self.root}/"
        return text[len(root) :] if text.startswith(root) else text


def _is_entry(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 3
        and all(type(number) is int and number > 0 for number in value)
    )


def _bytes(file: str | Path) -> int:
    path = Path(file)
    return path.stat().st_size if path.is_file() else -1

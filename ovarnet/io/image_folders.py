"""The image files in folders, subfolders and links to folders."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ovarnet.errors import InputError
from ovarnet.io.images import SUFFIXES

logger = logging.getLogger(__name__)


def list_images(paths: Iterable[str | Path]) -> list[Path]:
    """Replace folders by the images in them.

    Subfolders and links to folders are searched too, each real folder once; hidden files are left
    out. Files are taken as given: reading a file that is missing or no image says so.

    Args:
        paths: files and folders.

    Returns:
        Each file once: files in the order given, those of a folder sorted by path.

    Raises:
        InputError: a folder without an image.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if not os.path.isdir(path):
            found[path] = None
            continue
        inside = sorted(file for folder in _walk(path) for file in _images_in(folder))
        if not inside:
            raise InputError(
                f"{path}: no image in this folder; expected files ending in {', '.join(SUFFIXES)}"
            )
        found.update(dict.fromkeys(inside))
    return list(found)


def _walk(root: Path) -> Iterator[Path]:
    """`root` and the folders below it, each real folder once, so that circular links end.

    Links come last: a folder that is also inside the tree keeps its own path.
    """
    visited = {os.path.realpath(root), *map(os.path.realpath, root.absolute().parents)}
    pending, links = [root], []
    while pending:
        folder = pending.pop()
        yield folder
        for entry in _entries(folder):
            if not _holds(entry.is_dir):
                continue
            if entry.is_symlink():
                links.append(Path(entry.path))
            else:
                visited.add(os.path.realpath(entry.path))
                pending.append(Path(entry.path))
        while not pending and links:
            link = links.pop(0)
            if os.path.realpath(link) not in visited:
                visited.add(os.path.realpath(link))
                pending.append(link)


def _images_in(folder: Path) -> Iterator[Path]:
    for entry in _entries(folder):
        is_image = entry.name.lower().endswith(SUFFIXES) and not entry.name.startswith(".")
        if is_image and _holds(entry.is_file):
            yield Path(entry.path)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        logger.warning("%s: cannot be searched (%s); left out", folder, error.strerror)
        return []


def _holds(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except OSError:  # a link that leads to itself
        return False

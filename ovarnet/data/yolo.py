"""YOLO text files -> Annotations, in the layout of Ultralytics.

::

    root/data.yaml                     names: [shirt, dress], train: images/train, val: images/val
    root/images/train/a.jpg            any folder, or a .txt list of images
    root/labels/train/a.txt            lines "0 0.5 0.5 0.2 0.4", or beside the image

A line is the number of a category and the centre, width and height of a box as fractions of the
image, or the corners of a polygon, whose box is taken. An image without lines is background.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ovarnet.data.boxes import checked_corners
from ovarnet.data.fields import as_name, as_number, as_whole_number
from ovarnet.data.image_folder import ImageRecord, SizeReader
from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.labelled import (
    LabelledBox,
    LabelledSplit,
    load_labelled,
    open_vocabulary,
)
from ovarnet.data.reader import DatasetReader, Request
from ovarnet.errors import InputError
from ovarnet.io.files import read_text, read_yaml
from ovarnet.io.image_folders import list_images
from ovarnet.io.images import read_image_size
from ovarnet.io.skipped import Skipped
from ovarnet.structures import Annotations
from ovarnet.vocabulary import NEUTRAL_PARENT, Vocabulary

SPLITS = ("train", "val", "test")
OUTSIDE = 0.01
"""Fractions may exceed 0..1 by this much: rounding and polygons at the border."""


def load_yolo(
    root: str | Path,
    split: str,
    vocabulary: Vocabulary,
    skipped: Skipped | None = None,
    read_size: SizeReader = read_image_size,
) -> list[Annotations]:
    """Read a split of YOLO files.

    Args:
        root: folder of the dataset, with data.yaml.
        split: "train", "val" or "test".
        vocabulary: gives the columns of the categories.
        skipped: where to note what cannot be used; None logs one line.
        read_size: reads the size of an image file.

    Returns:
        One entry per image that has a usable line or none at all, sorted by path. All attributes
        are UNKNOWN; instance ids are "<path of the image>:<line>".

    Raises:
        InputError: no such split, another data.yaml, or nothing usable.
    """
    read = partial(read_yolo, root, split, read_size=read_size)
    return load_labelled(read, vocabulary, skipped, f"{root}: {split}", "yolo")


def read_yolo(
    root: str | Path, split: str, skipped: Skipped, read_size: SizeReader = read_image_size
) -> LabelledSplit:
    """Check every line of a split.

    Args:
        root: folder of the dataset, with data.yaml.
        split: "train", "val" or "test".
        skipped: where to note what cannot be used, as "labels/a.txt line 3: ...".
        read_size: reads the size of an image file.

    Raises:
        InputError: no such split, or another data.yaml.
    """
    root = Path(root)
    settings = _settings(root)
    names = _names(settings, root)
    content = LabelledSplit(categories=dict.fromkeys(names.values(), NEUTRAL_PARENT))
    for file in _images(settings, root, split):
        image_id = _relative(file, root)
        try:
            image = ImageRecord(str(file), image_id, *read_size(str(file)))
        except InputError as error:
            skipped.add("image unreadable", str(error))
            continue
        content.images[image_id] = image
        labels = _label_file(file)
        try:
            lines = read_text(labels).splitlines() if labels.is_file() else []
        except InputError as error:
            content.annotated.add(image_id)
            skipped.add("label file unreadable", str(error))
            continue
        for number, line in enumerate(lines, 1):
            if line.strip():
                content.annotated.add(image_id)
                item = f"{_relative(labels, root)} line {number}"
                found = _box(line.split(), image, names, f"{image_id}:{number}", item, skipped)
                if found is not None:
                    content.annotations.append(found)
    return content


def yolo_splits(root: Path) -> list[str]:
    """The splits that data.yaml names.

    Raises:
        InputError: no data.yaml, or another one.
    """
    settings = _settings(root)
    return [split for split in SPLITS if settings.get(split)]


def _settings(root: Path) -> dict:
    path = root / "data.yaml"
    settings = read_yaml(path)
    if not isinstance(settings, dict) or not isinstance(settings.get("names"), (list, dict)):
        raise InputError(f"{path}: needs 'names', and folders of images under 'train' and so on")
    return settings


def _names(settings: dict, root: Path) -> dict[int, str]:
    """Number of a category -> its name, from a list or a mapping."""
    given = settings["names"]
    pairs = given.items() if isinstance(given, dict) else enumerate(given)
    names: dict[int, str] = {}
    for number, name in pairs:
        column, word = as_whole_number(number), as_name(name)
        if column is None or word is None or word in names.values():
            raise InputError(
                f"{root / 'data.yaml'}: names has {number!r}: {name!r:.60}; write different words, "
                "as a list or by number"
            )
        names[column] = word
    return names


def _images(settings: dict, root: Path, split: str) -> list[Path]:
    given = settings.get(split)
    entries = given if isinstance(given, list) else [given] if given else []
    if not entries:
        raise InputError(f"{root / 'data.yaml'}: names no images under {split!r}")
    files: dict[Path, None] = {}
    for entry in entries:
        path = _resolve(root, settings.get("path"), str(entry))
        if path.suffix.lower() == ".txt":
            lines = (line.strip() for line in read_text(path).splitlines())
            files.update(dict.fromkeys(_resolve(root, None, line) for line in lines if line))
        else:
            files.update(dict.fromkeys(sorted(list_images([path]))))
    return list(files)


def _resolve(root: Path, base: object, entry: str) -> Path:
    """A path of data.yaml: under its `path`, under the root, or after a "../" that is one too many.

    The first one that exists; else the one under the root.
    """
    bases = [root / str(base), root] if base else [root]
    paths = [folder / name for folder in bases for name in (entry, entry.removeprefix("../"))]
    return next((path for path in paths if path.exists()), root / entry)


def _label_file(image: Path) -> Path:
    """labels/ in place of the last images/ of the path, else beside the image."""
    parts = list(image.with_suffix(".txt").parts)
    if "images" in parts[:-1]:
        last = len(parts) - 2 - parts[-2::-1].index("images")
        parts[last] = "labels"
        if Path(*parts).is_file():
            return Path(*parts)
    return image.with_suffix(".txt")


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _box(
    fields: list[str],
    image: ImageRecord,
    names: dict[int, str],
    instance: str,
    item: str,
    skipped: Skipped,
) -> LabelledBox | None:
    numbers = [number for value in fields[1:] if (number := as_number(value)) is not None]
    is_polygon = len(numbers) >= 6 and len(numbers) % 2 == 0
    if len(numbers) != len(fields) - 1 or not (len(numbers) == 4 or is_polygon):
        skipped.add(
            "line is neither a number and a box nor a number and a polygon", f"{item}: {fields}"
        )
        return None
    category = names.get(-1 if (column := as_whole_number(fields[0])) is None else column)
    if category is None:
        skipped.add("number of a category that data.yaml does not name", f"{item}: {fields[0]}")
        return None
    if not all(-OUTSIDE <= number <= 1 + OUTSIDE for number in numbers):
        skipped.add("numbers outside 0..1; write fractions of the image", f"{item}: {fields}")
        return None
    if is_polygon:
        x1, x2 = min(numbers[0::2]), max(numbers[0::2])
        y1, y2 = min(numbers[1::2]), max(numbers[1::2])
    else:
        x, y, w, h = numbers
        x1, y1, x2, y2 = x - w / 2, y - h / 2, x + w / 2, y + h / 2
    width, height = image.width, image.height
    corners = checked_corners(
        [x1 * width, y1 * height, x2 * width, y2 * height],
        height,
        width,
        f"{item}: {fields}",
        skipped,
    )
    if corners is None:
        return None
    return LabelledBox(image.image_id, corners, category, {}, False, False, instance)


def _read(request: Request) -> tuple[Vocabulary, list[Annotations]]:
    vocabulary, sizes = open_vocabulary(request.root, "yolo"), ImageSizes(request.root)
    return vocabulary, load_yolo(request.root, request.split, vocabulary, request.skipped, sizes)


READER = DatasetReader(SPLITS, _read)

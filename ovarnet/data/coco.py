"""COCO instances files -> Annotations. Categories are resolved by name, never by id or position."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ovarnet.data.boxes import checked_xywh, refuse_fractions
from ovarnet.data.fields import (
    as_flag,
    as_id,
    as_name,
    as_whole_number,
    check_ids,
    ids_of,
    records_of,
)
from ovarnet.data.image_folder import ImageFolder, ImageRecord, SizeReader, checked_size
from ovarnet.errors import InputError, errors_prefixed
from ovarnet.io.images import read_image_size
from ovarnet.io.json_stream import read_records, stream_json
from ovarnet.io.skipped import Skipped
from ovarnet.splits import COCO_SPLITS, Split, find_split
from ovarnet.structures import UNKNOWN, Annotations
from ovarnet.vocabulary import NEUTRAL_PARENT, Vocabulary, Word, known_names

UNUSED = ("segmentation",)
"""Keys of records that are not kept; polygons are most of a COCO file."""


@dataclass
class _Box:
    """One usable annotation; `column` is that of its category."""

    corners: list[float]
    column: int
    is_crowd: bool
    is_difficult: bool
    instance_id: str


def coco_vocabulary(path: str | Path, seen: str | Path | Split | Iterable[str] = ()) -> Vocabulary:
    """The categories of a COCO instances file, in file order; the supercategory is the parent.

    Args:
        path: the instances file.
        seen: which categories are base words: a built-in split ("48/17" or "48/32"), a split file
            or a `Split`, all of which leave out the words of neither side; or names.

    Raises:
        InputError: not an instances file, an unknown split, or a name that is not a category.
    """
    records = [record.value for record in stream_json(path) if record.key == "categories"]
    names = [
        as_name(record.get("name")) if isinstance(record, dict) else None for record in records
    ]
    if not names or None in names:
        raise InputError(
            f"{path}: 'categories' must be a list of objects with a name; give a COCO "
            "instances file"
        )
    known = [name for name in names if name is not None]
    if isinstance(seen, (str, Path, Split)):
        split = find_split(seen, COCO_SPLITS)
    else:
        base = frozenset(known_names(seen, known, f"categories of {path}"))
        split = Split(base, frozenset(known) - base)
    with errors_prefixed(path):
        return Vocabulary(
            tuple(
                Word(name, record.get("supercategory") or NEUTRAL_PARENT, split.is_base(name))
                for name, record in zip(known, records, strict=True)
                if split.keeps(name)
            )
        )


def load_coco(
    annotation_file: str | Path,
    image_folder: str | Path | None,
    vocabulary: Vocabulary,
    skipped: Skipped | None = None,
    read_size: SizeReader = read_image_size,
) -> list[Annotations]:
    """Read the boxes of a COCO instances file.

    Args:
        annotation_file: the instances file.
        image_folder: where its images are; None looks no files up.
        vocabulary: gives the columns of categories and attributes.
        skipped: where to note unusable boxes, boxes whose category is not in the vocabulary, and
            images whose file is missing or of another size; None logs one line.
        read_size: reads the size of an image file.

    Returns:
        One entry per image, in file order; N may be 0. All attributes are UNKNOWN. Instance ids are
        those of the annotations.

    Raises:
        InputError: not an instances file, repeated ids, boxes in fractions of the image, no usable
            image, or no category of the file in the vocabulary.
    """
    notes = Skipped() if skipped is None else skipped
    data = read_records(annotation_file, drop=UNUSED)
    images = read_images(data, image_folder, annotation_file, notes, read_size)
    columns = _category_columns(data, vocabulary, annotation_file)
    boxes = _boxes_by_image(data, images, columns, annotation_file, notes)
    if skipped is None:
        notes.log(annotation_file)
    labelled = labelled_columns(vocabulary, {name for name, _ in columns.values()})
    return [
        _annotations(image, boxes[image.image_id], len(vocabulary.attributes), labelled)
        for image in images.values()
    ]


def labelled_columns(vocabulary: Vocabulary, names: Iterable[str]) -> torch.Tensor | None:
    """Which categories of the vocabulary a dataset annotates completely.

    Args:
        vocabulary: C categories.
        names: the categories of the dataset.

    Returns:
        (C,) bool; None if they are all categories of the vocabulary.
    """
    names = set(names)
    labelled = torch.tensor([name in names for name in vocabulary.category_names], dtype=torch.bool)
    return None if labelled.all() else labelled


def read_images(
    data: dict[str, Any],
    image_folder: str | Path | None,
    source: str | Path,
    skipped: Skipped,
    read_size: SizeReader = read_image_size,
) -> dict[str, ImageRecord]:
    """Read the ``images`` of a COCO-style file.

    Args:
        data: content of the file.
        image_folder: where the images are; None looks no files up.
        source: the file, for messages.
        skipped: where to note images whose record is incomplete or whose file is missing,
            unreadable or of another size.
        read_size: reads the size of an image file.

    Returns:
        The usable images by id, in file order.

    Raises:
        InputError: no list of images, repeated ids, or no usable image.
    """
    records, folder = records_of(data, "images", source), ImageFolder(image_folder)
    check_ids(ids_of(records), "image", source)
    images: dict[str, ImageRecord] = {}
    for record in records:
        image_id, name = as_id(record.get("id")), record.get("file_name")
        height, width = (as_whole_number(record.get(side)) or 0 for side in ("height", "width"))
        if image_id is None or not isinstance(name, str) or height <= 0 or width <= 0:
            skipped.add(
                "image record without id, file_name, height or width",
                f"image {record.get('id')}: {name}, {(record.get('height'), record.get('width'))}",
            )
        elif (file := folder.find(name)) is None:
            skipped.add("image file missing", name)
        else:
            image = ImageRecord(file, image_id, height, width)
            if image_folder is None or checked_size(image, read_size, skipped):
                images[image_id] = image
    if records and not images:
        raise InputError(
            f"{source}: none of its {len(records)} images can be used: {skipped}; check the image "
            f"folder {image_folder}"
        )
    return images


def read_flag(record: dict[str, Any], key: str, item: str, skipped: Skipped) -> bool:
    """A flag of an annotation ("iscrowd", "difficult"); unclear ones are noted and mean no."""
    flag = as_flag(record.get(key))
    if flag is None:
        skipped.add(f"{key} is neither 0 nor 1, taken as 0", f"{item}: {record[key]!r:.60}")
    return bool(flag)


def _category_columns(
    data: dict[str, Any], vocabulary: Vocabulary, source: str | Path
) -> dict[str, tuple[str, int | None]]:
    """Category id -> (name, column in the vocabulary or None)."""
    columns: dict[str, tuple[str, int | None]] = {}
    records = records_of(data, "categories", source)
    for record in records:
        category_id, name = as_id(record.get("id")), as_name(record.get("name"))
        if category_id is None:
            raise InputError(
                f"{source}: the category {record.get('name')!r} has no id; give each category an "
                "id of its own"
            )
        if name is None:
            raise InputError(f"{source}: the category {category_id} has no name; give it one")
        columns.setdefault(category_id, (name, vocabulary.category_index.get(name)))
    check_ids(ids_of(records), "category", source)
    if columns and all(column is None for _, column in columns.values()):
        raise InputError(
            f"{source}: none of its {len(columns)} categories (such as "
            f"{next(iter(columns.values()))[0]!r}) is among the "
            f"{len(vocabulary.categories)} categories of the vocabulary; names must be equal"
        )
    return columns


def _boxes_by_image(
    data: dict[str, Any],
    images: dict[str, ImageRecord],
    columns: dict[str, tuple[str, int | None]],
    source: str | Path,
    skipped: Skipped,
) -> dict[str, list[_Box]]:
    records = records_of(data, "annotations", source)
    check_ids(ids_of(records), "annotation", source)
    refuse_fractions((record.get("bbox") for record in records), source)
    listed = set(ids_of(data["images"]))
    boxes: dict[str, list[_Box]] = defaultdict(list)
    for position, record in enumerate(records):
        image_id = as_id(record.get("image_id")) or ""
        instance = as_id(record.get("id")) or f"{image_id}:{position}"
        item = f"annotation {as_id(record.get('id')) or f'at position {position}'}"
        if (image := images.get(image_id)) is None:
            reason = (
                "annotation of an image left out"
                if image_id in listed
                else "image_id not among the images"
            )
            skipped.add(reason, f"{item}: {record.get('image_id')}")
        elif (found := _box(record, image, columns, instance, item, skipped)) is not None:
            boxes[image_id].append(found)
    return boxes


def _box(
    record: dict[str, Any],
    image: ImageRecord,
    columns: dict[str, tuple[str, int | None]],
    instance: str,
    item: str,
    skipped: Skipped,
) -> _Box | None:
    category = record.get("category_id")
    name, column = columns.get(as_id(category) or "", (None, None))
    if name is None:
        skipped.add("category_id not among the categories", f"{item}: {category}")
        return None
    if column is None:
        skipped.add("category not in the vocabulary", f"{item}: {name}")
        return None
    corners = checked_xywh(record.get("bbox"), image.height, image.width, item, skipped)
    if corners is None:
        return None
    is_crowd, is_difficult = (
        read_flag(record, key, item, skipped) for key in ("iscrowd", "difficult")
    )
    return _Box(corners, column, is_crowd, is_difficult, instance)


def _annotations(
    image: ImageRecord, boxes: list[_Box], attributes: int, labelled: torch.Tensor | None
) -> Annotations:
    return Annotations(
        image.file,
        image.image_id,
        image.height,
        image.width,
        [box.corners for box in boxes],
        [box.column for box in boxes],
        torch.full((len(boxes), attributes), UNKNOWN, dtype=torch.int8),
        [box.is_crowd for box in boxes],
        [box.instance_id for box in boxes],
        [box.is_difficult for box in boxes],
        labelled,
    )

"""COCO instances files -> Annotations. Categories are resolved by NAME against the vocabulary,
never by id or position.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import torch

from ovarnet.data.records import (
    ImageFolder,
    ImageRecord,
    SizeReader,
    check_ids,
    checked_size,
    checked_xywh,
    records_of,
)
from ovarnet.errors import InputError, errors_prefixed
from ovarnet.io.images import read_image_size
from ovarnet.io.json_stream import read_records, stream_json
from ovarnet.io.skipped import Skipped
from ovarnet.splits import COCO_SPLITS, Split, find_split
from ovarnet.structures import UNKNOWN, Annotations
from ovarnet.vocabulary import NEUTRAL_PARENT, Vocabulary, Word, known_names

UNUSED = ("segmentation",)
"""Most of a COCO file; boxes do not need it."""


def coco_vocabulary(path: str | Path, seen: str | Path | Split | Iterable[str] = ()) -> Vocabulary:
    """The categories of a COCO instances file, in file order; the supercategory is the parent.

    Args:
        path: the instances file.
        seen: which categories are base words: a built-in split ("48/17" or "48/32"), a split file
            or a `Split`, all of which leave out the words of neither side; or names.

    Raises:
        InputError: not an instances file, an unknown split, or a name that is not a category.
    """
    entries = [record.value for record in stream_json(path) if record.key == "categories"]
    if not entries or not all(
        isinstance(entry, dict) and isinstance(entry.get("name"), str) for entry in entries
    ):
        raise InputError(
            f"{path}: 'categories' must be a list of objects with a name; give a COCO "
            "instances file"
        )
    names = [entry["name"] for entry in entries]
    if isinstance(seen, (str, Path, Split)):
        split = find_split(seen, COCO_SPLITS)
    else:
        base = frozenset(known_names(seen, names, f"categories of {path}"))
        split = Split(base, frozenset(names) - base)
    with errors_prefixed(path):
        return Vocabulary(
            tuple(
                Word(
                    entry["name"],
                    entry.get("supercategory") or NEUTRAL_PARENT,
                    split.is_base(entry["name"]),
                )
                for entry in entries
                if split.keeps(entry["name"])
            )
        )


def load_coco(
    annotation_file: str | Path,
    image_folder: str | Path | None,
    vocabulary: Vocabulary,
    skipped: Skipped | None = None,
    read_size: SizeReader = read_image_size,
) -> list[Annotations]:
    """One `Annotations` per image of the file, in file order; an image may be left with 0 boxes.
    Attributes are all UNKNOWN.

    instance_ids are the annotation ids as str; iscrowd is kept. Boxes whose category is not in the
    vocabulary are left out, like unusable boxes and images whose file is missing or of another
    size: each is noted in `skipped` (None: one logged line). image_folder None: files are not
    looked up. InputError: not an instances file, repeated ids, or no category of the file in the
    vocabulary.
    """
    notes = Skipped() if skipped is None else skipped
    data = read_records(annotation_file, drop=UNUSED)
    images = read_images(data, image_folder, annotation_file, notes, read_size)
    columns = _category_columns(data, vocabulary, annotation_file)
    rows = _rows_by_image(data, images, columns, annotation_file, notes)
    if skipped is None:
        notes.log(annotation_file)
    return [
        _annotations(image, rows[image.image_id], len(vocabulary.attributes))
        for image in images.values()
    ]


def read_images(
    data: dict,
    image_folder: str | Path | None,
    source: str | Path,
    skipped: Skipped,
    read_size: SizeReader = read_image_size,
) -> dict[str, ImageRecord]:
    """The `images` of a COCO-style file by id; those whose file is missing, unreadable or of
    another size are left out and noted.
    """
    records, folder, images = records_of(data, "images", source), ImageFolder(image_folder), {}
    check_ids([str(record.get("id")) for record in records], "image", source)
    for record in records:
        image_id, name, size = (
            str(record.get("id")),
            record.get("file_name"),
            (record.get("height"), record.get("width")),
        )
        if (
            "id" not in record
            or not isinstance(name, str)
            or not all(type(side) is int and side > 0 for side in size)
        ):
            skipped.add(
                "image record without id, file_name, height or width",
                f"image {image_id}: {name}, {size}",
            )
        elif (file := folder.find(name)) is None:
            skipped.add("image file missing", name)
        else:
            image = ImageRecord(file, image_id, *size)
            if image_folder is None or checked_size(image, read_size, skipped):
                images[image_id] = image
    if records and not images:
        raise InputError(
            f"{source}: none of its {len(records)} images can be used: {skipped}; check the image "
            f"folder {image_folder}"
        )
    return images


def _category_columns(
    data: dict, vocabulary: Vocabulary, source: str | Path
) -> dict[str, tuple[str, int | None]]:
    """Category id -> (name, column in the vocabulary or None)."""
    records = records_of(data, "categories", source)
    nameless = next((record for record in records if "id" not in record), None)
    if nameless is not None:
        raise InputError(
            f"{source}: the category {nameless.get('name')!r} has no id; give each category an id "
            "of its own"
        )
    check_ids([str(record.get("id")) for record in records], "category", source)
    names = {str(record.get("id")): str(record.get("name")) for record in records}
    columns = {
        category: (name, vocabulary.category_index.get(name)) for category, name in names.items()
    }
    if columns and all(column is None for _, column in columns.values()):
        raise InputError(
            f"{source}: none of its {len(columns)} categories (such as "
            f"{next(iter(columns.values()))[0]!r}) is among the "
            f"{len(vocabulary.categories)} categories of the vocabulary; names must be equal"
        )
    return columns


def _rows_by_image(
    data: dict, images: dict[str, ImageRecord], columns: dict, source: str | Path, skipped: Skipped
) -> dict[str, list[tuple]]:
    """Image id -> its usable (box, category column, is crowd, instance id)."""
    records = records_of(data, "annotations", source)
    check_ids([str(record["id"]) for record in records if "id" in record], "annotation", source)
    listed = {str(record.get("id")) for record in data["images"]}
    rows: dict[str, list[tuple]] = defaultdict(list)
    for position, record in enumerate(records):
        image = images.get(str(record.get("image_id")))
        item = (
            f"annotation {record['id']}" if "id" in record else f"annotation at position {position}"
        )
        if image is None:
            reason = (
                "annotation of an image left out"
                if str(record.get("image_id")) in listed
                else "image_id not among the images"
            )
            skipped.add(reason, f"{item}: {record.get('image_id')}")
            continue
        name, column = columns.get(str(record.get("category_id")), (None, None))
        if column is None:
            reason = (
                "category_id not among the categories"
                if name is None
                else "category not in the vocabulary"
            )
            skipped.add(reason, f"{item}: {record.get('category_id') if name is None else name}")
            continue
        box = checked_xywh(record.get("bbox"), image.height, image.width, item, skipped)
        if box is not None:
            instance = str(record.get("id", f"{image.image_id}:{position}"))
            rows[image.image_id].append((box, column, bool(record.get("iscrowd", 0)), instance))
    return rows


def _annotations(image: ImageRecord, rows: list[tuple], attributes: int) -> Annotations:
    boxes, categories, crowd, ids = (
        (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [])
    )
    return Annotations(
        image.file,
        image.image_id,
        image.height,
        image.width,
        boxes,
        categories,
        torch.full((len(boxes), attributes), UNKNOWN, dtype=torch.int8),
        crowd,
        ids,
    )

"""The OVAD file (ovad2000.json) -> its vocabulary and Annotations; for evaluation only."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ovarnet.data.boxes import checked_xywh, refuse_fractions
from ovarnet.data.coco import UNUSED, read_flag, read_images
from ovarnet.data.fields import as_id, as_name, as_whole_number, check_ids, ids_of, records_of
from ovarnet.data.image_folder import ImageRecord, SizeReader
from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.reader import DatasetReader, Request
from ovarnet.errors import InputError, errors_prefixed
from ovarnet.io.images import read_image_size
from ovarnet.io.json_stream import read_records
from ovarnet.io.skipped import Skipped
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN, Annotations
from ovarnet.vocabulary import NEUTRAL_PARENT, Vocabulary, Word

LABELS: dict[int | None, int] = {1: POSITIVE, 0: NEGATIVE, -1: UNKNOWN}
"""Value of att_vec -> label."""


@dataclass
class _Box:
    """One usable annotation; `column` is that of its category, `labels` are its attributes."""

    corners: list[float]
    column: int
    labels: list[int]
    is_crowd: bool
    instance_id: str


def ovad_vocabulary(path: str | Path) -> Vocabulary:
    """The 80 categories and 117 attributes of an OVAD file, attributes in order of their ids.

    A category is seen if the file has it as "base". OVAD has no training labels: no attribute is
    seen. An attribute keeps its full name, "type:a/b"; its parent is the type, its synonyms are a
    and b.

    Args:
        path: the annotation file (ovad2000.json).

    Raises:
        InputError: not such a file.
    """
    return _vocabulary(read_records(path, drop=(*UNUSED, "att_vec")), path)


def load_ovad(
    file: str | Path,
    image_folder: str | Path | None,
    skipped: Skipped | None = None,
    read_size: SizeReader = read_image_size,
) -> tuple[Vocabulary, list[Annotations]]:
    """Read an OVAD file.

    Args:
        file: the annotation file (ovad2000.json).
        image_folder: COCO's val2017; None looks no files up.
        skipped: where to note unusable annotations, and images whose file is missing or of another
            size; None logs one line.
        read_size: reads the size of an image file.

    Returns:
        The vocabulary (`ovad_vocabulary`), and one entry per image, in file order. An att_vec of 1,
        0, -1 is POSITIVE, NEGATIVE, UNKNOWN.

    Raises:
        InputError: not an OVAD file, repeated ids, boxes in fractions of the image, or no usable
            image.
    """
    notes = Skipped() if skipped is None else skipped
    data = read_records(file, drop=UNUSED)
    vocabulary = _vocabulary(data, file)
    images = read_images(data, image_folder, file, notes, read_size)
    boxes = _boxes_by_image(data, images, vocabulary, file, notes)
    if skipped is None:
        notes.log(file)
    return vocabulary, [
        _annotations(image, boxes[image.image_id], len(vocabulary.attributes))
        for image in images.values()
    ]


def _vocabulary(data: dict[str, Any], source: str | Path) -> Vocabulary:
    attributes = records_of(data, "attributes", source)
    ids = [as_whole_number(entry.get("id")) for entry in attributes]
    ordered = dict(zip(ids, attributes, strict=True))
    if set(ordered) != set(range(len(attributes))):
        raise InputError(
            f"{source}: attribute ids must be 0..{len(ids) - 1}, each once: they index att_vec"
        )
    with errors_prefixed(source):
        return Vocabulary(
            tuple(map(_category, records_of(data, "categories", source))),
            tuple(_attribute(ordered[number]) for number in range(len(attributes))),
        )


def _category(entry: dict[str, Any]) -> Word:
    name, kind = as_name(entry.get("name")), entry.get("ov_set")
    if name is None or not isinstance(kind, str):
        raise InputError(
            f"the category {entry.get('name')!r} lacks 'name' or 'ov_set'; give the OVAD "
            "annotation file (ovad2000.json)"
        )
    return Word(name, entry.get("supercategory") or NEUTRAL_PARENT, kind == "base")


def _attribute(entry: dict[str, Any]) -> Word:
    name = entry.get("name")
    for key in ("name", "freq_set", "parent_type"):
        if key not in entry or not isinstance(name, str):
            raise InputError(
                f"the attribute {name!r} lacks {key!r}; give the OVAD annotation file "
                "(ovad2000.json)"
            )
    kind, _, synonyms = str(name).rpartition(":")
    return Word(
        str(name),
        kind or NEUTRAL_PARENT,
        synonyms=tuple(part.strip() for part in synonyms.split("/")),
        group=entry["freq_set"],
        family=entry["parent_type"],
    )


def _boxes_by_image(
    data: dict[str, Any],
    images: dict[str, ImageRecord],
    vocabulary: Vocabulary,
    source: str | Path,
    skipped: Skipped,
) -> dict[str, list[_Box]]:
    columns = {
        as_id(record.get("id")): vocabulary.category_index[str(as_name(record["name"]))]
        for record in records_of(data, "categories", source)
    }
    columns.pop(None, None)
    records = records_of(data, "annotations", source)
    check_ids(ids_of(records), "annotation", source)
    refuse_fractions((record.get("bbox") for record in records), source)
    boxes: dict[str, list[_Box]] = defaultdict(list)
    for position, record in enumerate(records):
        instance = as_id(record.get("id")) or f"at position {position}"
        item = f"annotation {instance}"
        image = images.get(as_id(record.get("image_id")) or "")
        column = columns.get(as_id(record.get("category_id")))
        labels = _labels(record.get("att_vec"), len(vocabulary.attributes))
        if image is None:
            skipped.add("annotation of an image left out", f"{item}: {record.get('image_id')}")
        elif column is None:
            skipped.add(
                "category_id not among the categories", f"{item}: {record.get('category_id')}"
            )
        elif labels is None:
            skipped.add(f"att_vec is not {len(vocabulary.attributes)} values of 1, 0, -1", item)
        elif (
            corners := checked_xywh(record.get("bbox"), image.height, image.width, item, skipped)
        ) is not None:
            is_crowd = read_flag(record, "iscrowd", item, skipped)
            boxes[image.image_id].append(_Box(corners, column, labels, is_crowd, instance))
    return boxes


def _labels(values: object, length: int) -> list[int] | None:
    """Labels of an att_vec; None if it is not `length` values of 1, 0 and -1."""
    if not isinstance(values, list) or len(values) != length:
        return None
    labels = [
        LABELS.get(value if type(value) is int else as_whole_number(value)) for value in values
    ]
    known = [label for label in labels if label is not None]
    return known if len(known) == length else None


def _annotations(image: ImageRecord, boxes: list[_Box], attributes: int) -> Annotations:
    labels = torch.tensor([box.labels for box in boxes], dtype=torch.int8)
    return Annotations(
        image.file,
        image.image_id,
        image.height,
        image.width,
        [box.corners for box in boxes],
        [box.column for box in boxes],
        labels.reshape(len(boxes), attributes),
        [box.is_crowd for box in boxes],
        [box.instance_id for box in boxes],
    )


def _read(request: Request) -> tuple[Vocabulary, list[Annotations]]:
    root = request.root
    folder = root / "val2017" if request.needs_images else None
    return load_ovad(root / "ovad2000.json", folder, request.skipped, ImageSizes(root))


READER = DatasetReader(("test",), _read)

"""The OVAD file (ovad2000.json) -> its vocabulary and Annotations. An evaluation set: it has no
training labels.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import torch

from ovarnet.data.coco import UNUSED, read_images
from ovarnet.data.records import SizeReader, Skipped, check_ids, checked_xywh, records_of
from ovarnet.errors import InputError
from ovarnet.io.images import read_image_size
from ovarnet.io.json_stream import read_records
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN, Annotations
from ovarnet.vocabulary import Vocabulary

LABELS = {1: POSITIVE, 0: NEGATIVE, -1: UNKNOWN}
"""att_vec -> label."""


def load_ovad(
    file: str | Path,
    image_folder: str | Path | None,
    skipped: Skipped | None = None,
    read_size: SizeReader = read_image_size,
) -> tuple[Vocabulary, list[Annotations]]:
    """Vocabulary (80 categories, 117 attributes in order of their ids) and one `Annotations` per
    image, in file order.

    att_vec 1 / 0 / -1 becomes POSITIVE / NEGATIVE / UNKNOWN; category_id is looked up among the ids
    of the categories. Unusable annotations and images whose file is missing or of another size are
    noted in `skipped` (None: one logged line). image_folder None: files are not looked up.
    """
    notes = Skipped() if skipped is None else skipped
    data, vocabulary = read_records(file, drop=UNUSED), Vocabulary.from_ovad(file)
    ids = sorted(record["id"] for record in records_of(data, "attributes", file))
    if ids != list(range(len(ids))):
        raise InputError(
            f"{file}: attribute ids must be 0..{len(ids) - 1}, each once: they index att_vec"
        )
    images = read_images(data, image_folder, file, notes, read_size)
    rows = _rows_by_image(data, images, vocabulary, file, notes)
    if skipped is None:
        notes.log(file)
    return vocabulary, [
        _annotations(image, rows[image.image_id], len(ids)) for image in images.values()
    ]


def _rows_by_image(
    data: dict, images: dict, vocabulary: Vocabulary, source: str | Path, skipped: Skipped
) -> dict[str, list[tuple]]:
    """Image id -> its usable (box, category column, labels, is crowd, instance id)."""
    columns = {
        str(record.get("id")): vocabulary.category_index[record["name"]]
        for record in records_of(data, "categories", source)
    }
    records = records_of(data, "annotations", source)
    check_ids([str(record["id"]) for record in records if "id" in record], "annotation", source)
    rows: dict[str, list[tuple]] = defaultdict(list)
    for position, record in enumerate(records):
        instance, vector = str(record.get("id", f"at position {position}")), record.get("att_vec")
        item = f"annotation {instance}"
        image, column = (
            images.get(str(record.get("image_id"))),
            columns.get(str(record.get("category_id"))),
        )
        if image is None:
            skipped.add("annotation of an image left out", f"{item}: {record.get('image_id')}")
        elif column is None:
            skipped.add(
                "category_id not among the categories", f"{item}: {record.get('category_id')}"
            )
        elif not _is_vector(vector, len(vocabulary.attributes)):
            skipped.add(f"att_vec is not {len(vocabulary.attributes)} values of 1, 0, -1", item)
        elif (
            box := checked_xywh(record.get("bbox"), image.height, image.width, item, skipped)
        ) is not None:
            labels = [LABELS[value] for value in vector]
            rows[image.image_id].append(
                (box, column, labels, bool(record.get("iscrowd", 0)), instance)
            )
    return rows


def _is_vector(values, length: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == length
        and all(type(value) is int and value in LABELS for value in values)
    )


def _annotations(image, rows: list[tuple], attributes: int) -> Annotations:
    boxes, categories, labels, crowd, ids = (
        (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [], [])
    )
    return Annotations(
        image.file,
        image.image_id,
        image.height,
        image.width,
        boxes,
        categories,
        torch.tensor(labels, dtype=torch.int8).reshape(len(boxes), attributes),
        crowd,
        ids,
    )

"""The OVAD file (ovad2000.json) -> its vocabulary and Annotations. An evaluation set: it has no
training labels.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import torch

from ovarnet.data.coco import UNUSED, read_images
from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.reader import DatasetReader, Request
from ovarnet.data.records import SizeReader, check_ids, checked_xywh, records_of
from ovarnet.errors import InputError, errors_prefixed
from ovarnet.io.images import read_image_size
from ovarnet.io.json_stream import read_records
from ovarnet.io.skipped import Skipped
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN, Annotations
from ovarnet.vocabulary import FIELDS, NEUTRAL_PARENT, Vocabulary, Word

LABELS = {1: POSITIVE, 0: NEGATIVE, -1: UNKNOWN}
"""att_vec -> label."""


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
    data = read_records(path, drop=("segmentation", "att_vec"))
    categories, attributes = (records_of(data, kind, path) for kind in FIELDS)
    try:
        with errors_prefixed(path):
            return Vocabulary(
                tuple(
                    Word(
                        entry["name"],
                        entry.get("supercategory") or NEUTRAL_PARENT,
                        entry["ov_set"] == "base",
                    )
                    for entry in categories
                ),
                tuple(map(_attribute, sorted(attributes, key=lambda entry: entry["id"]))),
            )
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: a category or attribute lacks {error}; give the OVAD annotation file "
            "(ovad2000.json)"
        ) from None


def _attribute(entry: dict) -> Word:
    kind, _, synonyms = entry["name"].rpartition(":")
    return Word(
        entry["name"],
        kind or NEUTRAL_PARENT,
        synonyms=tuple(part.strip() for part in synonyms.split("/")),
        group=entry["freq_set"],
        family=entry["parent_type"],
    )


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
    data, vocabulary = read_records(file, drop=UNUSED), ovad_vocabulary(file)
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


def _read(request: Request) -> tuple[Vocabulary, list[Annotations]]:
    root = request.root
    folder = root / "val2017" if request.needs_images else None
    return load_ovad(root / "ovad2000.json", folder, request.skipped, ImageSizes(root))


READER = DatasetReader(("test",), _read)

"""One's own data: a COCO-style JSON file with `attributes` per annotation -> Annotations, and the words it uses.

    {"images":      [{"id": 1, "file_name": "shirts/10007.jpg"}],                    width and height may be given; they are then checked
     "categories":  [{"id": 1, "name": "shirt", "supercategory": "clothing"}],       may be absent
     "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [x, y, width, height], "attributes": ["white", "striped"]}],
     "unlisted_attributes": "unknown"}

`attributes` is a list of the words that hold, or {"positive": [...], "negative": [...]}, or {word: 1 or 0}. A word that an annotation does
not mention is unknown there; with "unlisted_attributes": "negative" it does not hold. A missing category_id: the category is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.reader import DatasetReader, Request
from ovarnet.data.records import (
    ImageFolder,
    ImageRecord,
    SizeReader,
    checked_size,
    checked_xywh,
)
from ovarnet.errors import InputError
from ovarnet.io.images import read_image_size
from ovarnet.io.json_stream import stream_json
from ovarnet.io.skipped import Skipped
from ovarnet.io.word_files import read_vocabulary
from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, UNKNOWN, Annotations
from ovarnet.vocabulary import LONGEST_WORD, NEUTRAL_PARENT, Vocabulary, Word, is_encodable

UNLISTED = {"unknown": UNKNOWN, "negative": NEGATIVE}
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Labelled:
    """One usable annotation. category: its name or None. labels: {word: POSITIVE or NEGATIVE}."""

    image_id: str
    box: list[float]
    category: str | None
    labels: dict[str, int]
    is_crowd: bool
    instance_id: str


@dataclass
class CustomFile:
    """What is usable of one file. images by id; categories: {name: parent type} in file order;
    unlisted: UNKNOWN or NEGATIVE.
    """

    images: dict[str, ImageRecord] = field(default_factory=dict)
    categories: dict[str, str] = field(default_factory=dict)
    annotations: list[Labelled] = field(default_factory=list)
    unlisted: int = UNKNOWN


def load_custom(
    file: str | Path,
    image_folder: str | Path | None,
    vocabulary: Vocabulary,
    skipped: Skipped | None = None,
    read_size: SizeReader = read_image_size,
) -> list[Annotations]:
    """One `Annotations` per image that has an annotation, in file order.

    Words outside the vocabulary and everything that cannot be used are noted in `skipped` with
    their place in the file (None: one logged line). image_folder None: files are not looked up;
    `read_size` is called with the name of an image whose width and height are not given.
    InputError: not such a file, nothing usable.
    """
    notes = Skipped() if skipped is None else skipped
    content = read_custom(file, image_folder, notes, read_size)
    rows: dict[str, list[Labelled]] = {}
    for annotation in content.annotations:
        rows.setdefault(annotation.image_id, []).append(annotation)
    annotations = [
        _annotations(image, rows[image_id], content.unlisted, vocabulary, notes)
        for image_id, image in content.images.items()
        if image_id in rows
    ]
    if not annotations:
        raise InputError(
            f"{file}: none of its annotations can be used: {notes}; ovarnet prepare custom lists "
            "every problem"
        )
    if skipped is None:
        notes.log(file)
    return annotations


def read_custom(
    file: str | Path,
    image_folder: str | Path | None,
    skipped: Skipped,
    read_size: SizeReader = read_image_size,
) -> CustomFile:
    """Check every record; what cannot be used is noted as (reason, "annotations[17] (line 203):
    ..."). InputError: not such a file.
    """
    records: dict[str, list] = {}
    content = CustomFile()
    for key, index, line, value, _ in stream_json(file):
        if key == "unlisted_attributes":
            content.unlisted = _unlisted(value if index is None else [value], file)
        elif index is not None:
            records.setdefault(key, []).append((f"{key}[{index}] (line {line})", value))
        else:
            records[key] = value
    for key in ("images", "annotations"):
        if not isinstance(records.get(key), list) or not records[key]:
            raise InputError(
                f"{file}: {key!r} must be a list with at least one entry; see docs/own_data.md "
                "for the form of the file"
            )
    listed = _read_images(records["images"], image_folder, read_size, content, skipped)
    names = _read_categories(records.get("categories", []), content, skipped, file)
    _read_annotations(records["annotations"], listed, names, content, skipped)
    return content


def custom_vocabulary(files: Mapping[str, CustomFile]) -> Vocabulary:
    """The words of {split: file} in the order in which they are met; those with a box or label in
    "train" are base words (seen).
    """
    parents: dict[str, str] = {}
    words: dict[str, None] = {}
    for content in files.values():
        parents |= {
            name: parent for name, parent in content.categories.items() if name not in parents
        }
        words |= dict.fromkeys(
            word for annotation in content.annotations for word in annotation.labels
        )
    training = files["train"].annotations if "train" in files else []
    boxed = {annotation.category for annotation in training}
    labelled = {word for annotation in training for word in annotation.labels}
    return Vocabulary(
        tuple(Word(name, parent, name in boxed) for name, parent in parents.items()),
        tuple(Word(word, seen=word in labelled) for word in words),
    )


def _unlisted(value, file: str | Path) -> int:
    if not isinstance(value, str) or value not in UNLISTED:
        raise InputError(f'{file}: unlisted_attributes is {value!r}; write "unknown" or "negative"')
    return UNLISTED[value]


def _read_images(
    records: list,
    image_folder: str | Path | None,
    read_size: SizeReader,
    content: CustomFile,
    skipped: Skipped,
) -> set[str]:
    """Fills content.images; returns the ids of all records, usable or not."""
    folder, listed, names = ImageFolder(image_folder), set(), set()
    for place, record in records:
        image_id, name = (
            (str(record.get("id")), record.get("file_name"))
            if isinstance(record, dict)
            else ("None", None)
        )
        if image_id == "None" or not isinstance(name, str) or not name:
            skipped.add("image without id or file_name", f"{place}: {str(record)[:80]}")
        elif image_id in listed:
            skipped.add("image id used twice", f"{place}: id {image_id}")
        elif name in names:
            skipped.add("image file listed twice", f"{place}: {name}")
        else:
            listed.add(image_id)
            names.add(name)
            image = _image(record, image_id, name, place, folder, read_size, skipped)
            if image is not None:
                content.images[image_id] = image
    return listed


def _image(
    record: dict,
    image_id: str,
    name: str,
    place: str,
    folder: ImageFolder,
    read_size: SizeReader,
    skipped: Skipped,
) -> ImageRecord | None:
    height, width, file = record.get("height"), record.get("width"), folder.find(name)
    sides = [side for side in (height, width) if side is not None]
    if not all(type(side) is int and side > 0 for side in sides) or len(sides) == 1:
        return skipped.add(
            "width and height are not whole numbers of pixels",
            f"{place}: width {width}, height {height}",
        )
    if file is None:
        return skipped.add("image file missing", f"{place}: {name}")
    if not sides:
        try:
            return ImageRecord(file, image_id, *read_size(file))
        except InputError as error:
            return skipped.add("image unreadable", f"{place}: {error}")
    image = ImageRecord(file, image_id, height, width)
    return image if folder.folder is None or checked_size(image, read_size, skipped) else None


def _read_categories(
    records, content: CustomFile, skipped: Skipped, file: str | Path
) -> dict[str, str]:
    """Fills content.categories; returns {id: name}."""
    if not isinstance(records, list):
        raise InputError(f'{file}: \'categories\' must be a list of {{"id": ..., "name": ...}}')
    names: dict[str, str] = {}
    for place, record in records:
        name = record.get("name") if isinstance(record, dict) else None
        if not _is_word(name) or "id" not in record:
            skipped.add(
                f"category without id, or whose name is no text of 1 to {LONGEST_WORD} characters",
                f"{place}: {str(record)[:80]}",
            )
        elif str(record["id"]) in names:
            skipped.add("category id used twice", f"{place}: id {record['id']}")
        elif name.strip() in content.categories:
            skipped.add("category name used twice", f"{place}: {name!r}")
        else:
            names[str(record["id"])] = name.strip()
            parent = record.get("supercategory")
            content.categories[name.strip()] = (
                parent.strip() if _is_word(parent) else NEUTRAL_PARENT
            )
    return names


def _read_annotations(
    records: list, listed: set[str], names: dict[str, str], content: CustomFile, skipped: Skipped
) -> None:
    ids: set[str] = set()
    for place, record in records:
        if not isinstance(record, dict):
            skipped.add("annotation is not an object", f"{place}: {str(record)[:80]}")
            continue
        image_id, category, instance = (
            str(record.get("image_id")),
            record.get("category_id"),
            str(record.get("id", place)),
        )
        image = content.images.get(image_id)
        if image is None:
            reason = (
                "annotation of an image left out"
                if image_id in listed
                else "image_id not among the images"
            )
            skipped.add(reason, f"{place}: image_id {record.get('image_id')}")
        elif instance in ids:
            skipped.add("annotation id used twice", f"{place}: id {instance}")
        elif category is not None and str(category) not in names:
            skipped.add("category_id not among the categories", f"{place}: category_id {category}")
        elif (
            box := checked_xywh(
                record.get("bbox"), image.height, image.width, f"{place}: bbox", skipped
            )
        ) is not None:
            ids.add(instance)
            content.annotations.append(
                Labelled(
                    image_id,
                    box,
                    None if category is None else names[str(category)],
                    _labels(record.get("attributes", []), place, skipped),
                    bool(record.get("iscrowd", 0)),
                    instance,
                )
            )


def _labels(value, place: str, skipped: Skipped) -> dict[str, int]:
    """{word: label}. A word that cannot be used is noted and left out; the others stay."""
    pairs = _pairs(value, place, skipped)
    positive, negative = (
        {word.strip() for word, label in pairs if _is_word(word) and label == kind}
        for kind in (POSITIVE, NEGATIVE)
    )
    for word in (word for word, _ in pairs if not _is_word(word)):
        skipped.add(
            f"attribute is no text of 1 to {LONGEST_WORD} characters",
            f"{place}: {str(word)[:80]!r}",
        )
    for word in sorted(positive & negative):
        skipped.add("attribute both positive and negative, taken as unknown", f"{place}: {word!r}")
    order = dict.fromkeys(word.strip() for word, _ in pairs if _is_word(word))
    return {
        word: POSITIVE if word in positive else NEGATIVE
        for word in order
        if (word in positive) != (word in negative)
    }


def _pairs(value, place: str, skipped: Skipped) -> list[tuple[object, int]]:
    """(word, label) of the three forms."""
    if isinstance(value, list):
        return [(word, POSITIVE) for word in value]
    if not isinstance(value, dict):
        skipped.add("attributes is neither a list nor an object", f"{place}: {str(value)[:80]}")
        return []
    if (
        value
        and set(value) <= {"positive", "negative"}
        and all(isinstance(words, list) for words in value.values())
    ):
        return [(word, POSITIVE) for word in value.get("positive", [])] + [
            (word, NEGATIVE) for word in value.get("negative", [])
        ]
    pairs = []
    for word, label in value.items():
        if label in (0, 1) and not isinstance(label, float):
            pairs.append((word, POSITIVE if label else NEGATIVE))
        elif label is not None:
            hint = f'; write "{label}": 1' if isinstance(label, str) else ""
            skipped.add("attribute is neither 1 nor 0", f"{place}: {word!r}: {label!r}{hint}")
    return pairs


def _is_word(value) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= LONGEST_WORD and is_encodable(value)


def _annotations(
    image: ImageRecord,
    rows: list[Labelled],
    unlisted: int,
    vocabulary: Vocabulary,
    skipped: Skipped,
) -> Annotations:
    labels = torch.full((len(rows), len(vocabulary.attributes)), unlisted, dtype=torch.int8)
    for number, row in enumerate(rows):
        if row.category is not None and row.category not in vocabulary.category_index:
            skipped.add(
                "category not in the vocabulary",
                f"{row.category!r} of annotation {row.instance_id}",
            )
        for word, label in row.labels.items():
            if word in vocabulary.attribute_index:
                labels[number, vocabulary.attribute_index[word]] = label
            else:
                skipped.add(
                    "attribute not in the vocabulary", f"{word!r} of annotation {row.instance_id}"
                )
    return Annotations(
        image.file,
        image.image_id,
        image.height,
        image.width,
        [row.box for row in rows],
        [vocabulary.category_index.get(row.category, NO_CATEGORY) for row in rows],
        labels,
        [row.is_crowd for row in rows],
        [row.instance_id for row in rows],
    )


def _read(request: Request) -> tuple[Vocabulary, list[Annotations]]:
    root = request.root
    words, file = root / "vocabulary.json", root / f"{request.split}.json"
    if not words.is_file():
        raise InputError(f"{words}: no such file; `ovarnet prepare custom --root {root}` writes it")
    vocabulary, sizes, folder = read_vocabulary(words), ImageSizes(root), root / "images"
    if request.needs_images:
        return vocabulary, load_custom(file, folder, vocabulary, request.skipped, sizes)
    return vocabulary, load_custom(
        file, None, vocabulary, request.skipped, lambda name: sizes(folder / name)
    )


READER = DatasetReader(SPLITS, _read)

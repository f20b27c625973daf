"""One's own data: COCO-style JSON files with attributes -> Annotations, and the words they use.

::

    {
        "images": [{"id": 1, "file_name": "shirts/10007.jpg"}],
        "categories": [{"id": 1, "name": "shirt", "supercategory": "clothing"}],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 1,
                "bbox": [x, y, width, height],
                "attributes": ["white", "striped"],
            }
        ],
        "unlisted_attributes": "unknown",
        "labelled_categories": ["shirt"],
    }

``width`` and ``height`` of an image may be given and are then checked; ``categories`` and a
``category_id`` may be absent: the category is then unknown. ``attributes`` is a list of the words
that hold, or ``{"positive": [...], "negative": [...]}``, or ``{word: 1 or 0}``. A word that an
annotation does not mention is unknown there; with ``"unlisted_attributes": "negative"`` it does not
hold. ``labelled_categories`` are those whose objects all have a box (default: all categories of the
file): an image without a box is then background. ``iscrowd`` and ``difficult`` are read as COCO and
VOC mean them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ovarnet.data.boxes import checked_xywh, refuse_fractions
from ovarnet.data.coco import read_flag
from ovarnet.data.fields import as_flag, as_id, as_name, as_whole_number, as_word
from ovarnet.data.image_folder import ImageFolder, ImageRecord, SizeReader, checked_size
from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.labelled import LabelledBox, LabelledSplit, load_labelled, open_vocabulary
from ovarnet.data.reader import DatasetReader, Request
from ovarnet.errors import InputError
from ovarnet.io.images import read_image_size
from ovarnet.io.json_stream import stream_json
from ovarnet.io.skipped import Skipped
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN, Annotations
from ovarnet.vocabulary import LONGEST_WORD, NEUTRAL_PARENT, Vocabulary

UNLISTED = {"unknown": UNKNOWN, "negative": NEGATIVE}
SPLITS = ("train", "val", "test")
NO_WORD = f"is no text of 1 to {LONGEST_WORD} characters"


class Placed(NamedTuple):
    """A record of the file and its place in it, "annotations[17] (line 203)"."""

    place: str
    value: Any


def load_custom(
    file: str | Path,
    image_folder: str | Path | None,
    vocabulary: Vocabulary,
    skipped: Skipped | None = None,
    read_size: SizeReader = read_image_size,
) -> list[Annotations]:
    """Read a file of one's own data (see the module's docstring).

    Args:
        file: the JSON file.
        image_folder: where its images are; None looks no files up.
        vocabulary: gives the columns of categories and attributes.
        skipped: where to note, with the place in the file, what cannot be used and words outside
            the vocabulary; None logs one line.
        read_size: reads the size of an image file; without an image folder, of the name of an image
            whose width and height are not given.

    Returns:
        One entry per image that has a usable annotation or is background, in file order.

    Raises:
        InputError: not such a file, boxes in fractions of the image, or nothing usable in it.
    """
    read = partial(read_custom, file, image_folder, read_size=read_size)
    return load_labelled(read, vocabulary, skipped, file, "custom")


def read_custom(
    file: str | Path,
    image_folder: str | Path | None,
    skipped: Skipped,
    read_size: SizeReader = read_image_size,
) -> LabelledSplit:
    """Check every record of a file.

    Args:
        file: the JSON file.
        image_folder: where its images are; None looks no files up.
        skipped: where to note what cannot be used, as "annotations[17] (line 203): ...".
        read_size: reads the size of an image file.

    Raises:
        InputError: not such a file, or boxes in fractions of the image.
    """
    content = LabelledSplit()
    lists: dict[str, list[Placed]] = {}
    values: dict[str, Any] = {}
    for record in stream_json(file):
        key = record.key or ""
        if record.position is None:
            values[key] = record.value
        else:
            place = f"{key}[{record.position}] (line {record.line})"
            lists.setdefault(key, []).append(Placed(place, record.value))
    for key in ("images", "annotations"):
        if key not in lists:
            raise InputError(
                f"{file}: {key!r} must be a list with at least one entry; see docs/own_data.md "
                "for the form of the file"
            )
    if values.get("categories") not in (None, []):
        raise InputError(f'{file}: \'categories\' must be a list of {{"id": ..., "name": ...}}')
    refuse_fractions(
        (value.get("bbox") for _, value in lists["annotations"] if isinstance(value, dict)), file
    )
    content.unlisted = _unlisted(lists, values, file)
    listed = _read_images(lists["images"], image_folder, read_size, content, skipped)
    names = _read_categories(lists.get("categories", []), content, skipped)
    content.labelled_categories = _labelled_categories(lists, values, content.categories, file)
    _read_annotations(lists["annotations"], listed, names, content, skipped)
    return content


def _unlisted(lists: dict[str, list[Placed]], values: dict[str, Any], file: str | Path) -> int:
    key = "unlisted_attributes"
    value = [entry.value for entry in lists[key]] if key in lists else values.get(key)
    if value is None:
        return UNKNOWN
    if not isinstance(value, str) or value not in UNLISTED:
        raise InputError(f'{file}: {key} is {value!r}; write "unknown" or "negative"')
    return UNLISTED[value]


def _labelled_categories(
    lists: dict[str, list[Placed]],
    values: dict[str, Any],
    categories: Mapping[str, str],
    file: str | Path,
) -> list[str] | None:
    key = "labelled_categories"
    value = [entry.value for entry in lists[key]] if key in lists else values.get(key)
    if value is None:
        return None
    wrong: object = value
    if isinstance(value, list):
        names = [as_name(name) for name in value]
        unknown = [
            name for name, known in zip(value, names, strict=True) if known not in categories
        ]
        if not unknown:
            return [name for name in names if name is not None]
        wrong = unknown[0]
    raise InputError(
        f"{file}: {key} must be a list of names of its categories; {wrong!r:.60} is none"
    )


def _read_images(
    records: list[Placed],
    image_folder: str | Path | None,
    read_size: SizeReader,
    content: LabelledSplit,
    skipped: Skipped,
) -> set[str]:
    """Fill content.images; returns the ids of all records, usable or not."""
    folder = ImageFolder(image_folder)
    listed: set[str] = set()
    names: set[str] = set()
    for place, record in records:
        image_id = as_id(record.get("id")) if isinstance(record, dict) else None
        name = record.get("file_name") if isinstance(record, dict) else None
        if image_id is None or not isinstance(name, str) or not name:
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
    record: dict[str, Any],
    image_id: str,
    name: str,
    place: str,
    folder: ImageFolder,
    read_size: SizeReader,
    skipped: Skipped,
) -> ImageRecord | None:
    given = (record.get("height"), record.get("width"))
    height, width = (as_whole_number(side) or 0 for side in given)
    file = folder.find(name)
    if given != (None, None) and (height <= 0 or width <= 0):
        skipped.add(
            "width and height are not whole numbers of pixels",
            f"{place}: width {record.get('width')}, height {record.get('height')}",
        )
    elif file is None:
        skipped.add("image file missing", f"{place}: {name}")
    elif given == (None, None):
        try:
            return ImageRecord(file, image_id, *read_size(file))
        except InputError as error:
            skipped.add("image unreadable", f"{place}: {error}")
    else:
        image = ImageRecord(file, image_id, height, width)
        if folder.folder is None or checked_size(image, read_size, skipped):
            return image
    return None


def _read_categories(
    records: list[Placed], content: LabelledSplit, skipped: Skipped
) -> dict[str, str]:
    """Fill content.categories; returns {id: name}."""
    names: dict[str, str] = {}
    for place, record in records:
        name = as_name(record.get("name")) if isinstance(record, dict) else None
        category_id = as_id(record.get("id")) if isinstance(record, dict) else None
        if name is None or category_id is None:
            skipped.add(
                f"category without id, or whose name {NO_WORD}", f"{place}: {str(record)[:80]}"
            )
            continue
        if category_id in names:
            skipped.add("category id used twice", f"{place}: id {category_id}")
        elif name in content.categories:
            skipped.add("category name used twice", f"{place}: {name!r}")
        else:
            names[category_id] = name
            content.categories[name] = _parent(record.get("supercategory"), place, skipped)
    return names


def _parent(value: object, place: str, skipped: Skipped) -> str:
    parent = as_word(value)
    if parent is None and value not in (None, ""):
        skipped.add(
            f"supercategory {NO_WORD}, taken as {NEUTRAL_PARENT!r}", f"{place}: {value!r:.80}"
        )
    return parent or NEUTRAL_PARENT


def _read_annotations(
    records: list[Placed],
    listed: set[str],
    names: dict[str, str],
    content: LabelledSplit,
    skipped: Skipped,
) -> None:
    """Fill content.annotations and content.annotated."""
    ids: set[str] = set()
    for place, record in records:
        if not isinstance(record, dict):
            skipped.add("annotation is not an object", f"{place}: {str(record)[:80]}")
            continue
        image_id = as_id(record.get("image_id")) or ""
        instance = as_id(record.get("id")) or place
        content.annotated.add(image_id)
        if (image := content.images.get(image_id)) is None:
            reason = (
                "annotation of an image left out"
                if image_id in listed
                else "image_id not among the images"
            )
            skipped.add(reason, f"{place}: image_id {record.get('image_id')}")
        elif instance in ids:
            skipped.add("annotation id used twice", f"{place}: id {instance}")
        elif (found := _box(record, image, names, instance, place, skipped)) is not None:
            ids.add(instance)
            content.annotations.append(found)


def _box(
    record: dict[str, Any],
    image: ImageRecord,
    names: dict[str, str],
    instance: str,
    place: str,
    skipped: Skipped,
) -> LabelledBox | None:
    given = record.get("category_id")
    category = names.get(as_id(given) or "")
    if given is not None and category is None:
        skipped.add("category_id not among the categories", f"{place}: category_id {given}")
        return None
    corners = checked_xywh(record.get("bbox"), image.height, image.width, f"{place}: bbox", skipped)
    if corners is None:
        return None
    labels = _labels(record.get("attributes"), place, skipped)
    is_crowd, is_difficult = (
        read_flag(record, key, place, skipped) for key in ("iscrowd", "difficult")
    )
    return LabelledBox(image.image_id, corners, category, labels, is_crowd, is_difficult, instance)


def _labels(value: object, place: str, skipped: Skipped) -> dict[str, int]:
    """{word: label}; a word that cannot be used is noted and left out, the others stay."""
    sides: dict[str, set[int]] = {}
    for entry, label in _pairs(value, place, skipped):
        word = as_word(entry)
        if word is None:
            skipped.add(f"attribute {NO_WORD}", f"{place}: {str(entry)[:80]!r}")
        else:
            sides.setdefault(word, set()).add(label)
    for word in sorted(word for word, labels in sides.items() if len(labels) > 1):
        skipped.add("attribute both positive and negative, taken as unknown", f"{place}: {word!r}")
    return {word: labels.pop() for word, labels in sides.items() if len(labels) == 1}


def _pairs(value: object, place: str, skipped: Skipped) -> list[tuple[object, int]]:
    """(word, label) of the three forms; null says nothing."""
    if value is None:
        return []
    if isinstance(value, list):
        return [(word, POSITIVE) for word in value]
    if not isinstance(value, dict):
        skipped.add(
            "attributes is neither a list nor an object",
            f"{place}: {str(value)[:80]}; write a list of words",
        )
        return []
    lists = [words for words in value.values() if words is not None]
    if value and set(value) <= {"positive", "negative"} and _are_lists(lists):
        positive, negative = value.get("positive") or [], value.get("negative") or []
        return [(word, POSITIVE) for word in positive] + [(word, NEGATIVE) for word in negative]
    pairs: list[tuple[object, int]] = []
    for word, label in value.items():
        flag = as_flag(label)
        if flag is None or label == "":
            hint = f'; write "{label}": 1' if isinstance(label, str) and label else ""
            skipped.add("attribute is neither 1 nor 0", f"{place}: {word!r}: {label!r}{hint}")
        elif label is not None:
            pairs.append((word, POSITIVE if flag else NEGATIVE))
    return pairs


def _are_lists(values: list[object]) -> bool:
    """Of {"positive": ..., "negative": ...}; {"positive": 1} is a word instead."""
    return all(isinstance(value, list) for value in values)


def _read(request: Request) -> tuple[Vocabulary, list[Annotations]]:
    root = request.root
    file, folder, sizes = root / f"{request.split}.json", root / "images", ImageSizes(root)
    vocabulary = open_vocabulary(root, "custom")
    if request.needs_images:
        return vocabulary, load_custom(file, folder, vocabulary, request.skipped, sizes)
    return vocabulary, load_custom(
        file, None, vocabulary, request.skipped, lambda name: sizes(folder / name)
    )


READER = DatasetReader(SPLITS, _read)

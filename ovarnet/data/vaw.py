"""VAW instance records -> Annotations, and the joining of COCO and VAW labels of the same boxes.

A label is POSITIVE, NEGATIVE or UNKNOWN: a word in neither list of a record is unknown, not
negative.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch

from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.reader import DatasetReader, Request
from ovarnet.data.records import (
    NOVEL_OBJECT,
    ImageFolder,
    ImageRecord,
    NovelName,
    SizeReader,
    check_ids,
    checked_xywh,
)
from ovarnet.errors import InputError, did_you_mean, errors_prefixed
from ovarnet.io.files import read_json
from ovarnet.io.images import read_image_size
from ovarnet.io.json_stream import stream_json
from ovarnet.io.skipped import Skipped
from ovarnet.splits import VAW_SPLITS, Split, find_split
from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, UNKNOWN, Annotations
from ovarnet.vocabulary import NEUTRAL_PARENT, Vocabulary, Word

FIELDS = {
    "image_id": (int, str),
    "instance_id": (int, str),
    "object_name": (str,),
    "positive_attributes": (list,),
    "negative_attributes": (list,),
}
USED = (*FIELDS, "instance_bbox")
"""What is kept of a record; polygons are most of the file."""
WHOLE_RELEASE = 620
"""Number of attributes of the release."""
SAME_BOX = 1.0
"""Pixels by which two boxes with the same instance id may differ."""


def vaw_vocabulary(folder: str | Path, seen: str | Path | Split = "541/79") -> Vocabulary:
    """The attributes of the VAW release, in the order of attribute_index.json.

    Args:
        folder: the release's `data` folder. A word's parent is the first subtype (in file order)
            that lists it, its family the first parent type with that subtype; "other" without one.
        seen: which attributes are base words: "541/79" (OvarNet's list), a split file or a `Split`.

    Raises:
        InputError: a file is missing or of another form, or an unknown split.
    """
    folder = Path(folder)
    index = read_json(folder / "attribute_index.json", dict)
    subtypes, parents, groups = (
        _read_word_lists(folder / f"{name}.json")
        for name in ("attribute_types", "attribute_parent_types", "head_tail")
    )
    if sorted(index.values(), key=str) != sorted(range(len(index)), key=str):
        raise InputError(
            f"{folder / 'attribute_index.json'}: columns must be 0..{len(index) - 1}, each once"
        )
    split, names = find_split(seen, VAW_SPLITS), sorted(index, key=index.__getitem__)
    if len(names) == WHOLE_RELEASE:
        _check_split_names(split, names, folder)
    words = []
    with errors_prefixed(folder):
        for name in filter(split.keeps, names):
            subtype = _first_with(name, subtypes) or NEUTRAL_PARENT
            words.append(
                Word(
                    name,
                    subtype,
                    split.is_base(name),
                    group=_first_with(name, groups),
                    family=_first_with(subtype, parents) or NEUTRAL_PARENT,
                )
            )
        return Vocabulary(attributes=tuple(words))


def _check_split_names(split: Split, names: list[str], folder: Path) -> None:
    """A novel word of the split that the release spells otherwise would become a base word."""
    unknown = sorted((split.novel | (split.base or frozenset())) - set(names))
    if unknown:
        raise InputError(
            f"{folder}: {unknown[0]!r} of the split is not among the {len(names)} "
            f"attributes{did_you_mean(unknown[0], names)}"
        )


def load_vaw(
    files: str | Path | Iterable[str | Path],
    image_folder: str | Path | None,
    vocabulary: Vocabulary,
    image_sizes: Mapping[str, tuple[int, int]] | None = None,
    skipped: Skipped | None = None,
    read_size: SizeReader = read_image_size,
    is_novel: NovelName | None = None,
) -> list[Annotations]:
    """One `Annotations` per image that has instances, in order of first appearance over all `files`
    (VAW's training set has two parts).

    categories: object_name where the vocabulary has it, else NO_CATEGORY. A word in both lists of a
    record becomes UNKNOWN. Images are `<image_id>.jpg` in the folder or one level below. VAW stores
    no sizes: `image_sizes` {image_id: (height, width)} or, without it, the headers of the image
    files. Unusable records, missing images and words outside the vocabulary are noted in `skipped`
    (None: one logged line). image_folder None: files are not looked up (sizes needed). is_novel:
    for training; instances whose object_name means a novel category are left out and noted.
    InputError: not VAW files, or an instance id twice.
    """
    notes = Skipped() if skipped is None else skipped
    files = [files] if isinstance(files, (str, Path)) else list(files)
    if image_folder is None and image_sizes is None:
        raise InputError(
            f"{files[0]}: VAW files hold no image sizes; give the image folder or the sizes"
        )
    by_image = _records_by_image(files, notes, is_novel)
    find = _image_finder(ImageFolder(image_folder), image_sizes, notes, read_size)
    found = [
        (image, records)
        for image_id, records in by_image.items()
        if (image := find(image_id)) is not None
    ]
    if by_image and not found:
        raise InputError(
            f"{files[0]}: none of its {len(by_image)} images can be used: {notes}; check the "
            f"image folder {image_folder}"
        )
    annotations = [_annotations(image, records, vocabulary, notes) for image, records in found]
    if skipped is None:
        notes.log(", ".join(map(str, files)))
    return [image for image in annotations if len(image)]


def merge_annotations(coco: list[Annotations], vaw: list[Annotations]) -> list[Annotations]:
    """Boxes of the same image_id and instance_id become one box with COCO's category and VAW's
    attributes; all others stay as they are.

    Both must be of the same images (`coco` decides file and size; images only in `vaw` come last)
    and of the same vocabulary. Ids that agree by chance, as those of COCO and Visual Genome may,
    are caught: another size or another box under the same id is an InputError.
    """
    attributes = {image.image_id: image for image in vaw}
    merged = [_merge_image(image, attributes.pop(image.image_id, None)) for image in coco]
    return merged + list(attributes.values())


def _records_by_image(
    files: list[str | Path], skipped: Skipped, is_novel: NovelName | None
) -> dict[str, list[dict]]:
    by_image: dict[str, list[dict]] = {}
    ids = []
    for file in files:
        for _, position, line, record, _ in stream_json(file, list):
            fault = _fault(record)
            if fault:
                skipped.add(fault, f"{file} record {position} (line {line})")
                continue
            ids.append(str(record["instance_id"]))
            if is_novel is not None and (category := is_novel(record["object_name"])) is not None:
                skipped.add(
                    NOVEL_OBJECT,
                    f"{record['object_name']!r} ({category}), instance {record['instance_id']}",
                )
                continue
            by_image.setdefault(str(record["image_id"]), []).append(
                {key: record.get(key) for key in USED}
            )
    check_ids(ids, "instance", ", ".join(map(str, files)))
    return by_image


def _fault(record) -> str | None:
    if not isinstance(record, dict):
        return "record is not an object"
    for key, types in FIELDS.items():
        if not isinstance(record.get(key), types):
            return f"record with a missing or wrong {key}"
    words = record["positive_attributes"] + record["negative_attributes"]
    return (
        None
        if all(isinstance(word, str) for word in words)
        else "record with an attribute that is not a string"
    )


def _image_finder(
    folder: ImageFolder,
    sizes: Mapping[str, tuple[int, int]] | None,
    skipped: Skipped,
    read_size: SizeReader,
):
    def find(image_id: str) -> ImageRecord | None:
        file = folder.find_stem(image_id)
        if file is None:
            return skipped.add("image file missing", image_id)
        if sizes is not None:
            return (
                ImageRecord(file, image_id, *sizes[image_id])
                if image_id in sizes
                else skipped.add("image of unknown size", image_id)
            )
        try:
            return ImageRecord(file, image_id, *read_size(file))
        except InputError as error:
            return skipped.add("image unreadable", str(error))

    return find


def _annotations(
    image: ImageRecord, records: list[dict], vocabulary: Vocabulary, skipped: Skipped
) -> Annotations:
    boxes, kept = [], []
    for record in records:
        box = checked_xywh(
            record.get("instance_bbox"),
            image.height,
            image.width,
            f"instance {record['instance_id']}",
            skipped,
        )
        if box is not None:
            boxes.append(box)
            kept.append(record)
    labels = torch.full((len(kept), len(vocabulary.attributes)), UNKNOWN, dtype=torch.int8)
    known = [
        (row, *entry)
        for row, record in enumerate(kept)
        for entry in _labels(record, vocabulary.attribute_index, skipped)
    ]
    if known:
        rows, columns, values = zip(*known, strict=True)
        labels[list(rows), list(columns)] = torch.tensor(values, dtype=torch.int8)
    categories = [
        vocabulary.category_index.get(record["object_name"], NO_CATEGORY) for record in kept
    ]
    return Annotations(
        image.file,
        image.image_id,
        image.height,
        image.width,
        boxes,
        categories,
        labels,
        instance_ids=[str(record["instance_id"]) for record in kept],
    )


def _labels(record: dict, columns: Mapping[str, int], skipped: Skipped) -> list[tuple[int, int]]:
    """The (column, label) pairs of one record."""
    positive, negative = set(record["positive_attributes"]), set(record["negative_attributes"])
    for word in sorted(word for word in positive | negative if word not in columns):
        skipped.add(
            "attribute not in the vocabulary", f"{word!r} of instance {record['instance_id']}"
        )
    for word in sorted(positive & negative):
        skipped.add(
            "attribute both positive and negative, taken as unknown",
            f"{word!r} of instance {record['instance_id']}",
        )
    return [
        (columns[word], label)
        for words, label in ((positive - negative, POSITIVE), (negative - positive, NEGATIVE))
        for word in words
        if word in columns
    ]


def _merge_image(coco: Annotations, vaw: Annotations | None) -> Annotations:
    if vaw is None:
        return coco
    if (coco.height, coco.width) != (vaw.height, vaw.width):
        raise InputError(
            f"image id {coco.image_id} is {coco.width} x {coco.height} in one file and "
            f"{vaw.width} x {vaw.height} in the "
            "other; these are different images, do not merge the two files"
        )
    rows = {instance: row for row, instance in enumerate(coco.instance_ids)}
    categories, attributes = coco.categories.clone(), coco.attributes.clone()
    extra = []
    for row, instance in enumerate(vaw.instance_ids):
        if instance not in rows:
            extra.append(row)
            continue
        mine = rows[instance]
        if (coco.boxes[mine] - vaw.boxes[row]).abs().max() > SAME_BOX:
            raise InputError(
                f"instance {instance} of image {coco.image_id} has box "
                f"{coco.boxes[mine].tolist()} in one file and "
                f"{vaw.boxes[row].tolist()} in the other; correct the files"
            )
        attributes[mine] = vaw.attributes[row]
        if categories[mine] == NO_CATEGORY:
            categories[mine] = vaw.categories[row]
    extra = torch.tensor(extra, dtype=torch.int64)
    return Annotations(
        coco.file,
        coco.image_id,
        coco.height,
        coco.width,
        torch.cat([coco.boxes, vaw.boxes[extra]]),
        torch.cat([categories, vaw.categories[extra]]),
        torch.cat([attributes, vaw.attributes[extra]]),
        torch.cat([coco.is_crowd, vaw.is_crowd[extra]]),
        coco.instance_ids + [vaw.instance_ids[i] for i in extra.tolist()],
    )


def _read_word_lists(path: Path) -> dict[str, list[str]]:
    lists = read_json(path, dict)
    for key, names in lists.items():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InputError(
                f"{path}: {key!r} is not a list of words; copy the file from the release again"
            )
    return lists


def _first_with(name: str, lists: dict[str, list[str]]) -> str | None:
    return next((key for key, names in lists.items() if name in names), None)


FILES = {
    "train": ("train_part1.json", "train_part2.json"),
    "val": ("val.json",),
    "test": ("test.json",),
}


def _read(request: Request) -> tuple[Vocabulary, list[Annotations]]:
    vocabulary = vaw_vocabulary(request.root, request.division)
    return vocabulary, load_vaw(
        [request.root / name for name in FILES[request.split]],
        request.root / "images",
        vocabulary,
        skipped=request.skipped,
        read_size=ImageSizes(request.root),
        is_novel=request.is_novel,
    )


READER = DatasetReader(
    tuple(FILES),
    _read,
    {
        "541/79": "541/79",
        "common/rare": "splits/common2rare.json",
        "common/common": "common2common_att2id.json",
    },
)

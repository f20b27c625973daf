"""VAW instance records -> Annotations, and the joining of COCO and VAW labels of the same boxes.

A label is POSITIVE, NEGATIVE or UNKNOWN: a word in neither list of a record is unknown, not
negative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ovarnet.data.boxes import checked_xywh, refuse_fractions
from ovarnet.data.fields import as_id, as_whole_number, check_ids
from ovarnet.data.image_folder import ImageFolder, ImageRecord, SizeReader
from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.reader import NOVEL_OBJECT, DatasetReader, NovelName, Request
from ovarnet.errors import InputError, did_you_mean, errors_prefixed
from ovarnet.io.files import read_json
from ovarnet.io.images import read_image_size
from ovarnet.io.json_stream import stream_json
from ovarnet.io.skipped import Skipped
from ovarnet.splits import VAW_SPLITS, Split, find_split
from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, UNKNOWN, Annotations
from ovarnet.vocabulary import NEUTRAL_PARENT, Vocabulary, Word

FILES = {
    "train": ("train_part1.json", "train_part2.json"),
    "val": ("val.json",),
    "test": ("test.json",),
}
WHOLE_RELEASE = 620
"""Number of attributes of the release."""
SAME_BOX = 1.0
"""Pixels by which two boxes with the same instance id may differ."""


@dataclass(frozen=True)
class _Instance:
    """What is used of a record; polygons, which are most of the file, are not."""

    image_id: str
    instance_id: str
    object_name: str
    bbox: object
    positive: tuple[str, ...]
    negative: tuple[str, ...]


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
    names = _read_index(folder / "attribute_index.json")
    subtypes, parents, groups = (
        _read_word_lists(folder / f"{name}.json")
        for name in ("attribute_types", "attribute_parent_types", "head_tail")
    )
    split = find_split(seen, VAW_SPLITS)
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


def load_vaw(
    files: str | Path | Iterable[str | Path],
    image_folder: str | Path | None,
    vocabulary: Vocabulary,
    image_sizes: Mapping[str, tuple[int, int]] | None = None,
    skipped: Skipped | None = None,
    read_size: SizeReader = read_image_size,
    is_novel: NovelName | None = None,
) -> list[Annotations]:
    """Read VAW instance files.

    Args:
        files: one file or several; VAW's training set has two parts.
        image_folder: where the images are, as ``<image_id>.jpg`` there or one level below; None
            looks no files up, and needs `image_sizes`.
        vocabulary: gives the columns of attributes, and of categories where it has the object_name.
        image_sizes: image id -> (height, width), which VAW does not store; None reads the headers
            of the image files.
        skipped: where to note unusable records, missing images and words outside the vocabulary;
            None logs one line.
        read_size: reads the size of an image file.
        is_novel: for training: instances whose object_name means a novel category are left out and
            noted.

    Returns:
        One entry per image that has instances, in order of first appearance over all files. Objects
        whose name is no category have NO_CATEGORY; a word in both lists of a record is UNKNOWN.

    Raises:
        InputError: not VAW files, an instance id twice, boxes in fractions of the image, or no
            usable image.
    """
    notes = Skipped() if skipped is None else skipped
    paths = [files] if isinstance(files, (str, Path)) else list(files)
    if image_folder is None and image_sizes is None:
        raise InputError(
            f"{paths[0]}: VAW files hold no image sizes; give the image folder or the sizes"
        )
    by_image = _instances_by_image(paths, notes, is_novel)
    find = _image_finder(ImageFolder(image_folder), image_sizes, notes, read_size)
    found = [
        (image, instances)
        for image_id, instances in by_image.items()
        if (image := find(image_id)) is not None
    ]
    if by_image and not found:
        raise InputError(
            f"{paths[0]}: none of its {len(by_image)} images can be used: {notes}; check the "
            f"image folder {image_folder}"
        )
    annotations = [_annotations(image, instances, vocabulary, notes) for image, instances in found]
    if skipped is None:
        notes.log(", ".join(map(str, paths)))
    return [image for image in annotations if len(image)]


def merge_annotations(coco: Sequence[Annotations], vaw: Sequence[Annotations]) -> list[Annotations]:
    """Join the boxes of the same image and instance id, with COCO's category and VAW's attributes.

    Args:
        coco: images with categories; they decide file and size.
        vaw: the same images with attributes, with columns of the same vocabulary.

    Returns:
        The images of `coco` with the boxes of both, then those that are only in `vaw`.

    Raises:
        InputError: the same id means another image size or another box, as the ids of COCO and
            Visual Genome may by chance.
    """
    attributes = {image.image_id: image for image in vaw}
    merged = [_merge_image(image, attributes.pop(image.image_id, None)) for image in coco]
    return merged + list(attributes.values())


def _read_index(path: Path) -> list[str]:
    """Names of the attributes in order of their columns."""
    index = read_json(path, dict)
    names = {as_whole_number(column): name for name, column in index.items()}
    if set(names) != set(range(len(index))):
        raise InputError(f"{path}: columns must be 0..{len(index) - 1}, each once")
    return [names[column] for column in range(len(index))]


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


def _check_split_names(split: Split, names: list[str], folder: Path) -> None:
    """A novel word of the split that the release spells otherwise would become a base word."""
    unknown = sorted((split.novel | (split.base or frozenset())) - set(names))
    if unknown:
        raise InputError(
            f"{folder}: {unknown[0]!r} of the split is not among the {len(names)} "
            f"attributes{did_you_mean(unknown[0], names)}"
        )


def _instances_by_image(
    files: Sequence[str | Path], skipped: Skipped, is_novel: NovelName | None
) -> dict[str, list[_Instance]]:
    by_image: dict[str, list[_Instance]] = {}
    ids: list[str] = []
    for file in files:
        boxes = []
        for record in stream_json(file, list):
            instance = _instance(record.value)
            if isinstance(instance, str):
                skipped.add(instance, f"{file} record {record.position} (line {record.line})")
                continue
            ids.append(instance.instance_id)
            boxes.append(instance.bbox)
            if is_novel is not None and (category := is_novel(instance.object_name)) is not None:
                skipped.add(
                    NOVEL_OBJECT,
                    f"{instance.object_name!r} ({category}), instance {instance.instance_id}",
                )
                continue
            by_image.setdefault(instance.image_id, []).append(instance)
        refuse_fractions(boxes, file)
    check_ids(ids, "instance", ", ".join(map(str, files)))
    return by_image


def _instance(record: Any) -> _Instance | str:
    """The instance of a record, or what is wrong with it."""
    if not isinstance(record, dict):
        return "record is not an object"
    ids = {key: as_id(record.get(key)) for key in ("image_id", "instance_id")}
    name = record.get("object_name")
    words = {side: record.get(side, "") for side in ("positive_attributes", "negative_attributes")}
    words = {side: [] if value is None else value for side, value in words.items()}
    wrong = [key for key, value in ids.items() if value is None]
    wrong += [] if isinstance(name, str) else ["object_name"]
    wrong += [side for side, value in words.items() if not isinstance(value, list)]
    if wrong:
        return f"record with a missing or wrong {wrong[0]}"
    positive, negative = (tuple(value) for value in words.values())
    if not all(isinstance(word, str) for word in positive + negative):
        return "record with an attribute that is not a string"
    return _Instance(
        str(ids["image_id"]),
        str(ids["instance_id"]),
        str(name),
        record.get("instance_bbox"),
        positive,
        negative,
    )


def _image_finder(
    folder: ImageFolder,
    sizes: Mapping[str, tuple[int, int]] | None,
    skipped: Skipped,
    read_size: SizeReader,
) -> Callable[[str], ImageRecord | None]:
    def find(image_id: str) -> ImageRecord | None:
        file = folder.find_stem(image_id)
        if file is None:
            skipped.add("image file missing", image_id)
        elif sizes is not None and image_id in sizes:
            return ImageRecord(file, image_id, *sizes[image_id])
        elif sizes is not None:
            skipped.add("image of unknown size", image_id)
        else:
            try:
                return ImageRecord(file, image_id, *read_size(file))
            except InputError as error:
                skipped.add("image unreadable", str(error))
        return None

    return find


def _annotations(
    image: ImageRecord, instances: list[_Instance], vocabulary: Vocabulary, skipped: Skipped
) -> Annotations:
    boxes, kept = [], []
    for instance in instances:
        item = f"instance {instance.instance_id}"
        box = checked_xywh(instance.bbox, image.height, image.width, item, skipped)
        if box is not None:
            boxes.append(box)
            kept.append(instance)
    labels = torch.full((len(kept), len(vocabulary.attributes)), UNKNOWN, dtype=torch.int8)
    known = [
        (row, column, label)
        for row, instance in enumerate(kept)
        for column, label in _labels(instance, vocabulary.attribute_index, skipped)
    ]
    if known:
        rows, columns, values = zip(*known, strict=True)
        labels[list(rows), list(columns)] = torch.tensor(values, dtype=torch.int8)
    return Annotations(
        image.file,
        image.image_id,
        image.height,
        image.width,
        boxes,
        [vocabulary.category_index.get(instance.object_name, NO_CATEGORY) for instance in kept],
        labels,
        instance_ids=[instance.instance_id for instance in kept],
        # VAW describes some objects of an image, never all.
        labelled_categories=torch.zeros(len(vocabulary.categories), dtype=torch.bool),
    )


def _labels(
    instance: _Instance, columns: Mapping[str, int], skipped: Skipped
) -> list[tuple[int, int]]:
    """The (column, label) pairs of one instance."""
    positive, negative = set(instance.positive), set(instance.negative)
    for word in sorted(word for word in positive | negative if word not in columns):
        skipped.add(
            "attribute not in the vocabulary", f"{word!r} of instance {instance.instance_id}"
        )
    for word in sorted(positive & negative):
        skipped.add(
            "attribute both positive and negative, taken as unknown",
            f"{word!r} of instance {instance.instance_id}",
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
    only_vaw = vaw[torch.tensor(extra, dtype=torch.int64)]
    return replace(
        coco,
        boxes=torch.cat([coco.boxes, only_vaw.boxes]),
        categories=torch.cat([categories, only_vaw.categories]),
        attributes=torch.cat([attributes, only_vaw.attributes]),
        is_crowd=torch.cat([coco.is_crowd, only_vaw.is_crowd]),
        is_difficult=torch.cat([coco.is_difficult, only_vaw.is_difficult]),
        instance_ids=[*coco.instance_ids, *only_vaw.instance_ids],
    )


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

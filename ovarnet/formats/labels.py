"""Labelled images as plain values: what every format here is written from.

Boxes are x1, y1, x2, y2 in pixels of the image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ovarnet.data.labelled import LabelledSplit
from ovarnet.errors import InputError
from ovarnet.io.files import read_json
from ovarnet.structures import POSITIVE

NO_CATEGORY_NAME = "object"
"""The category of a box without one, where a format needs a name."""


@dataclass(frozen=True)
class LabelledObject:
    """One box.

    Args:
        box: x1, y1, x2, y2.
        category: its name, or None.
        attributes: word -> whether it holds; words that are not mentioned are unknown.
        score: of the detection, in [0, 1]; None for an annotation.
        attribute_scores: word -> score in [0, 1], of a detection.
    """

    box: tuple[float, float, float, float]
    category: str | None
    attributes: Mapping[str, bool] = field(default_factory=dict)
    score: float | None = None
    attribute_scores: Mapping[str, float] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The category, or what stands for none."""
        return NO_CATEGORY_NAME if self.category is None else self.category

    @property
    def positive(self) -> list[str]:
        """The attributes that hold."""
        return [word for word, holds in self.attributes.items() if holds]


@dataclass(frozen=True)
class LabelledImage:
    """One image and its boxes.

    Args:
        file: path of the image.
        name: file name in the output, unique without its suffix.
        width: in pixels.
        height: in pixels.
        objects: the boxes; none means that nothing is there.
    """

    file: str
    name: str
    width: int
    height: int
    objects: Sequence[LabelledObject]

    @property
    def stem(self) -> str:
        """The name without suffix, for formats with one label file per image."""
        return Path(self.name).stem


@dataclass(frozen=True)
class LabelSet:
    """The labelled images of one split.

    Args:
        images: each with another name.
        categories: names of the categories in the order of their numbers, also those without a box.
    """

    images: Sequence[LabelledImage]
    categories: Sequence[str]

    @property
    def attributes(self) -> list[str]:
        """All attribute words, in the order in which they occur."""
        words = (
            word for image in self.images for found in image.objects for word in found.attributes
        )
        return list(dict.fromkeys(words))


def labels_of_split(content: LabelledSplit) -> LabelSet:
    """The labels of a split that a reader of `ovarnet.data` read; crowd boxes are left out."""
    objects: dict[str, list[LabelledObject]] = {image: [] for image in content.images}
    for row in content.annotations:
        if not row.is_crowd:
            attributes = {word: label == POSITIVE for word, label in row.labels.items()}
            found = LabelledObject(_corners(row.box), row.category, attributes)
            objects[row.image_id].append(found)
    files = [image.file for image in content.images.values()]
    images = [
        LabelledImage(image.file, name, image.width, image.height, objects[image_id])
        for (image_id, image), name in zip(content.images.items(), unique_names(files), strict=True)
    ]
    return LabelSet(images, _categories(images, content.categories))


def read_detections(files: Sequence[str | Path], attribute_threshold: float) -> LabelSet:
    """The labels that `ovarnet detect` found.

    Args:
        files: NAME.json of each image.
        attribute_threshold: lowest score of an attribute that holds; the others stay unknown.

    Raises:
        InputError: a file of another form.
    """
    records = [_record(file) for file in files]
    objects = [
        _found(record, attribute_threshold, file)
        for record, file in zip(records, files, strict=True)
    ]
    names = unique_names([record["file"] for record in records])
    images = [
        LabelledImage(record["file"], name, record["width"], record["height"], found)
        for record, name, found in zip(records, names, objects, strict=True)
    ]
    queried = dict.fromkeys(word for record in records for word in record["categories"])
    return LabelSet(images, _categories(images, queried))


def unique_names(files: Sequence[str]) -> list[str]:
    """File names that differ without their suffixes, also where case is ignored."""
    taken, names = set[str](), []
    for file in files:
        path = Path(file.replace("\\", "/"))
        stem, number = path.stem, 2
        while stem.casefold() in taken:
            stem, number = f"{path.stem}_{number}", number + 1
        taken.add(stem.casefold())
        names.append(stem + path.suffix)
    return names


FIELDS = (
    "file",
    "width",
    "height",
    "categories",
    "attributes",
    "boxes",
    "scores",
    "category",
    "attribute_scores",
)
"""What is read of NAME.json, see `ovarnet.io.results.image_record`."""


def _record(file: str | Path) -> dict[str, Any]:
    record = read_json(file, dict)
    missing = [name for name in FIELDS if name not in record]
    if missing:
        raise InputError(
            f"{file}: has no {missing[0]!r}; give the folder that ovarnet detect wrote"
        )
    return record


def _found(record: Mapping[str, Any], threshold: float, file: str | Path) -> list[LabelledObject]:
    objects = []
    try:
        rows = zip(
            record["boxes"],
            record["scores"],
            record["category"],
            record["attribute_scores"],
            strict=True,
        )
        for box, score, category, values in rows:
            scores = dict(zip(record["attributes"], map(float, values), strict=True))
            holds = {word: True for word, value in scores.items() if value >= threshold}
            objects.append(LabelledObject(_corners(box), category, holds, float(score), scores))
    except (TypeError, ValueError):
        raise InputError(
            f"{file}: its boxes, scores and words do not fit together; run ovarnet detect again"
        ) from None
    return objects


def _corners(box: Sequence[float]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = map(float, box)
    return x1, y1, x2, y2


def _categories(images: Sequence[LabelledImage], known: Mapping[str, Any]) -> list[str]:
    labels = (found.label for image in images for found in image.objects)
    return list(dict.fromkeys([*known, *labels]))

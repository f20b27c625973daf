"""Stored predictions: one JSON file in which any system can hand in its results to be scored.

    {"categories": ["mug", "chair"],                      the category words scored: all of the dataset's, in any order, or [] for none
     "attributes": ["red", "striped", "wooden"],          the attribute words, likewise
     "images": [{"image_id": "139",                       as in the annotations, string or integer
                 "boxes": [[10.5, 20, 110, 220]],         N boxes x1, y1, x2, y2 in pixels of the original image
                 "scores": [0.91],                        N detection scores in [0, 1]; they rank the detections
                 "category_scores": [[0.95, 0.02]],       N lists in the order of "categories", probabilities in [0, 1]
                 "attribute_scores": [[0.9, 0.1, 0.3]]}]  N lists in the order of "attributes", probabilities in [0, 1]
    }

"category_scores" may be absent where "categories" is [], "attribute_scores" where "attributes" is [], and "scores" in a box-given file.
Other keys are ignored. An image of the dataset that is not listed has no predictions. In a box-given file the boxes of an image are its
annotated boxes, all of them, in the order of the annotations.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from ovarnet.errors import InputError
from ovarnet.io.files import read_json, write_json
from ovarnet.structures import Annotations, Detections
from ovarnet.vocabulary import Vocabulary

LARGEST = float(np.finfo(np.float32).max)
SAME_BOX = 1.0
"""Pixels by which a box of a box-given file may differ from the annotated one (other systems round,
or clip to the image)."""


def read_predictions(
    path: str | Path,
    vocabulary: Vocabulary,
    annotations: Sequence[Annotations],
    *,
    box_given: bool = False,
    limit: int | None = None,
) -> list[Detections]:
    """One Detections per image of `annotations`, columns in the order of `vocabulary`; no column of
    a kind of which the file has no words.

    box_given: the rows of an image must be its annotated boxes; images not listed are then an
    error. limit: only of the first images; the file may hold any of the others. InputError names
    file, image and field: a word the dataset does not have or one that lacks, an image twice or not
    in the dataset, numbers that are not finite or not in [0, 1], lists of the wrong length,
    inverted boxes.
    """
    content = read_json(path, dict)
    columns = {
        kind: _columns(content, kind, getattr(vocabulary, kind), path)
        for kind in ("categories", "attributes")
    }
    entries = {}
    known = {image.image_id for image in annotations}
    for index, entry in enumerate(_list(content, "images", f"{path}")):
        image_id = _image_id(entry, index, path)
        if image_id in entries:
            raise InputError(
                f"{path}: image {image_id} is listed twice; give all its boxes in one entry"
            )
        if image_id not in known:
            raise InputError(
                f"{path}: image {image_id} is not among the {len(known)} images of the dataset; "
                "remove it or check the split"
            )
        entries[image_id] = _detections(
            entry, f"{path}: image {image_id}", content, columns, box_given
        )
    nothing = _detections({"boxes": [], "scores": []}, str(path), content, columns, box_given)
    found = [(image, entries.get(image.image_id, nothing)) for image in annotations[:limit]]
    if box_given:
        for image, detections in found:
            _check_boxes_given(detections, image, path)
    return [detections for _, detections in found]


def write_predictions(path: str | Path, predictions: Iterable[tuple[str, Detections]]) -> None:
    """Write (image_id, Detections) pairs, all with the same words, in the form above; floats keep
    all their digits.
    """
    predictions = list(predictions)
    words = (
        predictions[0][1] if predictions else Detections(*(torch.zeros(0, n) for n in (4, 0, 0, 0)))
    )
    write_json(
        path,
        {
            "categories": words.categories,
            "attributes": words.attributes,
            "images": [
                {
                    "image_id": image_id,
                    "boxes": found.boxes.tolist(),
                    "scores": found.scores.tolist(),
                    "category_scores": found.category_scores.tolist(),
                    "attribute_scores": found.attribute_scores.tolist(),
                }
                for image_id, found in predictions
            ],
        },
    )


def _list(holder: dict, key: str, where: str) -> list:
    if not isinstance(holder.get(key), list):
        raise InputError(
            f"{where}: '{key}' must be a list; "
            + ("it is missing" if key not in holder else f"it is {holder[key]!r:.60}")
        )
    return holder[key]


def _columns(content: dict, kind: str, words: Sequence, path: str | Path) -> list[int]:
    """For each word of the dataset its position in the file; [] when the file has no words of this
    kind.
    """
    given, wanted = _list(content, kind, f"{path}"), [word.name for word in words]
    for position, name in enumerate(given):
        if name not in wanted:
            near = difflib.get_close_matches(str(name), wanted, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "remove it and its column"
            raise InputError(
                f"{path}: '{kind}' has {name!r}, which is not a word of the dataset; {hint}"
            )
        if given.index(name) != position:
            raise InputError(f"{path}: '{kind}' has {name!r} twice")
    missing = [name for name in wanted if name not in given]
    if given and missing:
        raise InputError(
            f"{path}: '{kind}' lacks {len(missing)} of the {len(wanted)} words of the dataset, "
            f"such as {missing[0]!r}; "
            f"score all of them, or give [] to leave {kind} out"
        )
    return [given.index(name) for name in wanted] if given else []


def _image_id(entry, index: int, path: str | Path) -> str:
    if (
        not isinstance(entry, dict)
        or not isinstance(entry.get("image_id"), (str, int))
        or isinstance(entry["image_id"], bool)
    ):
        raise InputError(
            f"{path}: entry {index} of 'images' must be an object with an 'image_id' (string or "
            "integer)"
        )
    return str(entry["image_id"])


def _detections(
    entry: dict, where: str, content: dict, columns: dict[str, list[int]], box_given: bool
) -> Detections:
    boxes = _numbers(_list(entry, "boxes", where), 4, f"{where}, boxes")
    inverted = np.flatnonzero((boxes[:, 2] < boxes[:, 0]) | (boxes[:, 3] < boxes[:, 1]))
    if len(inverted):
        raise InputError(
            f"{where}, boxes: box {inverted[0]} is {boxes[inverted[0]].tolist()}; "
            "write x1, y1, x2, y2, not x, y, width, height"
        )
    scores = np.ones((len(boxes), 1), np.float32)
    if "scores" in entry or not box_given:
        scores = _probabilities(
            [[score] for score in _list(entry, "scores", where)], 1, len(boxes), f"{where}, scores"
        )
    tables = {}
    for kind, key in (("categories", "category_scores"), ("attributes", "attribute_scores")):
        count = len(content[kind])
        rows = (
            _list(entry, key, where)
            if key in entry or (count and len(boxes))
            else [[]] * len(boxes)
        )
        tables[kind] = torch.from_numpy(
            _probabilities(rows, count, len(boxes), f"{where}, {key}")[:, columns[kind]]
        )
    names = {kind: [content[kind][column] for column in columns[kind]] for kind in columns}
    return Detections(
        torch.from_numpy(boxes),
        torch.from_numpy(scores[:, 0]),
        tables["categories"],
        tables["attributes"],
        names["categories"],
        names["attributes"],
    )


def _numbers(rows: list, width: int, where: str) -> np.ndarray:
    """(len(rows), width) float32 of finite numbers."""
    for index, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != width:
            raise InputError(
                f"{where}: row {index} must be a list of {width} numbers; it is {str(row)[:60]}"
            )
        if not all(map(_is_number, row)):
            column = [_is_number(value) for value in row].index(False)
            raise InputError(
                f"{where}: row {index}, entry {column} is {row[column]!r:.60}; every entry must "
                "be a finite number"
            )
    return np.array(rows, dtype=np.float64).reshape(len(rows), width).astype(np.float32)


def _is_number(value) -> bool:
    """A number that float32 can hold; numpy would also take "0.5" and true. NaN fails the
    comparison.
    """
    return type(value) in (int, float) and -LARGEST <= value <= LARGEST


def _probabilities(rows: list, width: int, boxes: int, where: str) -> np.ndarray:
    if len(rows) != boxes:
        raise InputError(f"{where}: {len(rows)} rows but {boxes} boxes; give one per box")
    values = _numbers(rows, width, where)
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        row, column = np.argwhere((values < 0) | (values > 1))[0]
        raise InputError(
            f"{where}: row {row}, entry {column} is {values[row, column]:g}; "
            "scores must lie in [0, 1] (apply a sigmoid to logits)"
        )
    return values


def _check_boxes_given(found: Detections, image: Annotations, path: str | Path) -> None:
    if len(found) != len(image):
        raise InputError(
            f"{path}: image {image.image_id} has {len(found)} rows but {len(image)} annotated "
            "boxes; "
            "box-given needs one row per annotated box, in the same order"
        )
    limit = torch.tensor([image.width, image.height] * 2)
    off = ((found.boxes - image.boxes).abs() > SAME_BOX) & (
        (found.boxes - image.boxes.clamp(min=0).minimum(limit)).abs() > SAME_BOX
    )
    if off.any():
        row = int(off.any(dim=1).nonzero()[0])
        raise InputError(
            f"{path}: image {image.image_id}, boxes: box {row} is {found.boxes[row].tolist()} but "
            "the annotated one is "
            f"{image.boxes[row].tolist()}; box-given rows follow the order of the annotations"
        )

"""Stored predictions: one JSON file in which any system hands in its results to be scored.

::

    {
        "categories": ["mug", "chair"],
        "attributes": ["red", "striped", "wooden"],
        "images": [
            {
                "image_id": "139",
                "boxes": [[10.5, 20, 110, 220]],
                "scores": [0.91],
                "category_scores": [[0.95, 0.02]],
                "attribute_scores": [[0.9, 0.1, 0.3]],
            }
        ],
    }

categories, attributes
    The words of the columns: all of the dataset's, in any order, or [] for a kind not scored.
image_id
    As in the annotations, string or integer. An image that is not listed has no predictions.
boxes
    N boxes x1, y1, x2, y2 in pixels of the original image. In a box-given file these are the
    annotated boxes of the image, all of them, in the order of the annotations.
scores
    N detection scores in [0, 1], by which detections rank. May be absent in a box-given file.
category_scores, attribute_scores
    N lists of probabilities in [0, 1], in the order of the words. May be absent where there are no
    words.

Other keys are ignored. Scores are read as float64, boxes as float32.
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
from ovarnet.vocabulary import Vocabulary, Word

LARGEST = float(np.finfo(np.float32).max)
SAME_BOX = 1.0
"""Pixels by which a box of a box-given file may differ from the annotated one, for rounding."""


def read_predictions(
    path: str | Path,
    vocabulary: Vocabulary,
    annotations: Sequence[Annotations],
    *,
    box_given: bool = False,
    limit: int | None = None,
) -> list[Detections]:
    """Read a file of the form above.

    Args:
        path: of the file.
        vocabulary: the words of the dataset.
        annotations: the images of the dataset.
        box_given: the rows of an image must be its annotated boxes; images that are not listed are
            then an error.
        limit: only of the first images; the file may list any of the others.

    Returns:
        One Detections per image, its columns in the order of `vocabulary`; no columns of a kind of
        which the file has no words.

    Raises:
        InputError: names file, image and field: a word that the dataset does not have or one that
            is missing, an image twice or not in the dataset, numbers that are not finite or not in
            [0, 1], lists of the wrong length, inverted boxes, boxes that were not given.
    """
    content = read_json(path, dict)
    columns = {
        kind: _columns(content, kind, getattr(vocabulary, kind), path)
        for kind in ("categories", "attributes")
    }
    known = {image.image_id for image in annotations}
    entries: dict[str, Detections] = {}
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
        where = f"{path}: image {image_id}"
        entries[image_id] = _detections(entry, where, content, columns, box_given)

    nothing = _detections({"boxes": [], "scores": []}, str(path), content, columns, box_given)
    found = [(image, entries.get(image.image_id, nothing)) for image in annotations[:limit]]
    if box_given:
        for image, detections in found:
            _check_boxes_given(detections, image, path)
    return [detections for _, detections in found]


def write_predictions(path: str | Path, predictions: Iterable[tuple[str, Detections]]) -> None:
    """Write a file of the form above; floats keep all their digits.

    Args:
        path: of the file.
        predictions: (image_id, detections) of each image, all with the same words.
    """
    pairs = list(predictions)
    words = pairs[0][1] if pairs else None
    images = [
        {
            "image_id": image_id,
            "boxes": found.boxes.tolist(),
            "scores": found.scores.tolist(),
            "category_scores": found.category_scores.tolist(),
            "attribute_scores": found.attribute_scores.tolist(),
        }
        for image_id, found in pairs
    ]
    content = {
        "categories": words.categories if words else [],
        "attributes": words.attributes if words else [],
        "images": images,
    }
    write_json(path, content)


def _list(holder: dict, key: str, where: str) -> list:
    if not isinstance(holder.get(key), list):
        raise InputError(
            f"{where}: '{key}' must be a list; "
            + ("it is missing" if key not in holder else f"it is {holder[key]!r:.60}")
        )
    return holder[key]


def _columns(content: dict, kind: str, words: Sequence[Word], path: str | Path) -> list[int]:
    """For each word of the dataset its column in the file; [] if the file has none of the kind."""
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
            f"such as {missing[0]!r}; score all of them, or give [] to leave {kind} out"
        )
    return [given.index(name) for name in wanted] if given else []


def _image_id(entry: object, index: int, path: str | Path) -> str:
    image_id = entry.get("image_id") if isinstance(entry, dict) else None
    if not isinstance(image_id, (str, int)) or isinstance(image_id, bool):
        raise InputError(
            f"{path}: entry {index} of 'images' must be an object with an 'image_id' (string or "
            "integer)"
        )
    return str(image_id)


def _detections(
    entry: dict, where: str, content: dict, columns: dict[str, list[int]], box_given: bool
) -> Detections:
    boxes = _numbers(_list(entry, "boxes", where), 4, f"{where}, boxes").astype(np.float32)
    inverted = np.flatnonzero((boxes[:, 2] < boxes[:, 0]) | (boxes[:, 3] < boxes[:, 1]))
    if len(inverted):
        raise InputError(
            f"{where}, boxes: box {inverted[0]} is {boxes[inverted[0]].tolist()}; "
            "write x1, y1, x2, y2, not x, y, width, height"
        )

    scores = np.ones((len(boxes), 1))
    if "scores" in entry or not box_given:
        rows = [[score] for score in _list(entry, "scores", where)]
        scores = _probabilities(rows, 1, len(boxes), f"{where}, scores")

    tables = {}
    for kind, key in (("categories", "category_scores"), ("attributes", "attribute_scores")):
        count = len(content[kind])
        is_needed = key in entry or (count and len(boxes))
        rows = _list(entry, key, where) if is_needed else [[]] * len(boxes)
        table = _probabilities(rows, count, len(boxes), f"{where}, {key}")
        tables[kind] = torch.from_numpy(table[:, columns[kind]])
    return Detections(
        torch.from_numpy(boxes),
        torch.from_numpy(scores[:, 0]),
        tables["categories"],
        tables["attributes"],
        [content["categories"][column] for column in columns["categories"]],
        [content["attributes"][column] for column in columns["attributes"]],
    )


def _numbers(rows: list, width: int, where: str) -> np.ndarray:
    """(len(rows), width) float64 of finite numbers."""
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
    return np.array(rows, dtype=np.float64).reshape(len(rows), width)


def _is_number(value: object) -> bool:
    """A finite number in the range of float32; numpy would also take "0.5" and true."""
    return type(value) in (int, float) and -LARGEST <= value <= LARGEST  # type: ignore[operator]


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
            "boxes; box-given needs one row per annotated box, in the same order"
        )
    # Both are clipped to the image: the annotations were when they were read, on any side.
    corner = torch.tensor([image.width, image.height] * 2)
    given, annotated = (boxes.clamp(min=0).minimum(corner) for boxes in (found.boxes, image.boxes))
    is_off = ((given - annotated).abs() > SAME_BOX).any(dim=1)
    if is_off.any():
        row = int(is_off.nonzero()[0])
        raise InputError(
            f"{path}: image {image.image_id}, boxes: box {row} is {found.boxes[row].tolist()} but "
            f"the annotated one is {image.boxes[row].tolist()}; box-given rows follow the order of "
            "the annotations"
        )

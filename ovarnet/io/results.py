"""Detections as plain data for JSON files: a record per image, and a COCO-style results list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from ovarnet.io.files import path_ends
from ovarnet.structures import Detections

DIGITS = 4
"""Decimals of scores; boxes have 2."""


def image_record(file: str | Path, width: int, height: int, found: Detections) -> dict[str, Any]:
    """All that is known about one image.

    Args:
        file: path of the image as given.
        width: of the image in pixels.
        height: of the image in pixels.
        found: N boxes with scores for C categories and A attributes.

    Returns:
        ``file``, ``width``, ``height``; ``categories`` and ``attributes``, the C and A words in the
        order queried; ``boxes``, N lists x1, y1, x2, y2 in pixels of the original image;
        ``scores``, N detection scores; ``category``, N best category words (None without
        categories); ``category_scores``, N lists of C; ``attribute_scores``, N lists of A.
    """
    return {"file": str(file), "width": width, "height": height, **detections_record(found)}


def detections_record(found: Detections) -> dict[str, Any]:
    """Detections without their image.

    Args:
        found: N boxes with scores for C categories and A attributes.

    Returns:
        The fields of `image_record` from ``categories`` on.
    """
    return {
        "categories": list(found.categories),
        "attributes": list(found.attributes),
        "boxes": _rounded(found.boxes, 2),
        "scores": _rounded(found.scores),
        "category": found.best_category,
        "category_scores": _rounded(found.category_scores),
        "attribute_scores": _rounded(found.attribute_scores),
    }


def coco_results(file_name: str, image_id: int, found: Detections) -> list[dict[str, Any]]:
    """The boxes of one image in the form of COCO results.

    Args:
        file_name: what the image is called (`file_names`).
        image_id: its number (`image_ids`).
        found: N boxes.

    Returns:
        N entries with ``image_id``, ``category_id``, ``bbox`` (x, y, width, height) and ``score``;
        added to COCO's form are ``file_name``, ``category_name`` (None without categories) and
        ``attributes`` {word: score}. ``category_id`` is 1 for the first category word and so on,
        0 without categories.
    """
    words = found.attributes
    entries = []
    for box, score, category, scores in zip(
        _rounded(found.boxes, 2),
        _rounded(found.scores),
        found.best_category,
        _rounded(found.attribute_scores),
        strict=True,
    ):
        x1, y1, x2, y2 = box
        entries.append(
            {
                "image_id": image_id,
                "file_name": file_name,
                "category_id": found.categories.index(category) + 1 if category is not None else 0,
                "category_name": category,
                "bbox": [x1, y1, round(x2 - x1, 2), round(y2 - y1, 2)],
                "score": score,
                "attributes": dict(zip(words, scores, strict=True)),
            }
        )
    return entries


def file_names(files: Sequence[str | Path]) -> list[str]:
    """Unique names of image files: the file name, or as much of the path as makes it unique."""
    same = Counter(Path(file).name for file in files)
    ends = Counter(end for file in files if same[Path(file).name] > 1 for end in path_ends(file))
    return [
        Path(file).name
        if same[Path(file).name] == 1
        else next(end for end in reversed(path_ends(file)) if ends[end] == 1)
        for file in files
    ]


def image_ids(files: Sequence[str | Path]) -> list[int]:
    """Unique numbers of image files.

    Returns:
        The numbers of the file names if all are different numbers (COCO's 000000000139.jpg is
        139), else 1, 2, 3, ...
    """
    stems = [Path(file).stem for file in files]
    numbers = [int(stem) for stem in stems if stem.isdecimal()]
    return numbers if len(set(numbers)) == len(stems) else list(range(1, len(stems) + 1))


def _rounded(tensor: Tensor, digits: int = DIGITS) -> list:
    values = tensor.detach().double().cpu().tolist()
    return [
        [round(value, digits) for value in row] if isinstance(row, list) else round(row, digits)
        for row in values
    ]

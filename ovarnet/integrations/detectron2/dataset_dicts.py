"""Annotations <-> detectron2's dataset dicts, with attribute labels and ignored boxes kept.

Beside detectron2's own keys, a dict of an image has

* ``num_attributes``: A, the length of its label rows;
* ``labelled_categories``: indices of the categories whose objects are all annotated; absent where
  that is true of all categories;

and each of its annotations

* ``id``: of the instance in the annotation file;
* ``positive_attributes``, ``negative_attributes``: indices of the labelled attributes; all others
  are unknown;
* ``difficult``: whether the object is hard to recognise (VOC).

N boxes of an image, C categories, A attributes. Boxes are xyxy in pixels of the image after its
EXIF rotation, in which detectron2 reads it too.
"""

from __future__ import annotations

from typing import Any

import torch
from detectron2.structures import BoxMode
from torch import Tensor

from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, UNKNOWN, Annotations
from ovarnet.vocabulary import Vocabulary

OBJECT = "object"
"""The class of boxes without a category, as detectron2 has no such boxes; its index is C."""


def to_dataset_dict(image: Annotations, vocabulary: Vocabulary) -> dict[str, Any]:
    """Convert the annotations of one image.

    Args:
        image: Annotations with columns of `vocabulary`.
        vocabulary: C categories and A attributes.

    Returns:
        detectron2's dict with the keys named above; ``category_id`` is an index of the vocabulary,
        or C for a box without a category.
    """
    categories = image.categories.masked_fill(
        image.categories == NO_CATEGORY, len(vocabulary.categories)
    )
    positive, negative = (
        _columns_by_row(image.attributes == label) for label in (POSITIVE, NEGATIVE)
    )
    record: dict[str, Any] = {
        "file_name": image.file,
        "image_id": image.image_id,
        "height": image.height,
        "width": image.width,
        "num_attributes": len(vocabulary.attributes),
        "annotations": [
            {
                "id": instance_id,
                "bbox": box,
                "bbox_mode": BoxMode.XYXY_ABS,
                "category_id": category,
                "iscrowd": int(is_crowd),
                "difficult": is_difficult,
                "positive_attributes": positive[row],
                "negative_attributes": negative[row],
            }
            for row, (instance_id, box, category, is_crowd, is_difficult) in enumerate(
                zip(
                    image.instance_ids,
                    image.boxes.tolist(),
                    categories.tolist(),
                    image.is_crowd.tolist(),
                    image.is_difficult.tolist(),
                    strict=True,
                )
            )
        ],
    }
    if image.labelled_categories is not None:
        record["labelled_categories"] = image.labelled_categories.nonzero().flatten().tolist()
    return record


def from_dataset_dict(record: dict[str, Any], vocabulary: Vocabulary) -> Annotations:
    """Convert back; keys that another dataset's dict lacks mean that nothing is known.

    Args:
        record: A dataset dict with ``category_id`` as indices of `vocabulary`.
        vocabulary: C categories and A attributes.
    """
    annotations = record["annotations"]
    boxes = [
        BoxMode.convert(one["bbox"], one["bbox_mode"], BoxMode.XYXY_ABS) for one in annotations
    ]
    image_id = str(record["image_id"])
    return Annotations(
        file=record["file_name"],
        image_id=image_id,
        height=record["height"],
        width=record["width"],
        boxes=boxes,
        categories=without_object_class(
            torch.tensor([one["category_id"] for one in annotations], dtype=torch.int64), vocabulary
        ),
        attributes=attribute_rows(annotations, len(vocabulary.attributes)),
        is_crowd=[bool(one.get("iscrowd", 0)) for one in annotations],
        is_difficult=[bool(one.get("difficult", False)) for one in annotations],
        instance_ids=[
            str(one.get("id", f"{image_id}:{row}")) for row, one in enumerate(annotations)
        ],
        labelled_categories=labelled_categories(record, vocabulary),
    )


def attribute_rows(annotations: list[dict[str, Any]], attributes: int) -> Tensor:
    """Attribute labels of N annotations, (N, A) int8 of POSITIVE / NEGATIVE / UNKNOWN."""
    rows = torch.full((len(annotations), attributes), UNKNOWN, dtype=torch.int8)
    for row, one in zip(rows, annotations, strict=True):
        row[one.get("positive_attributes", [])] = POSITIVE
        row[one.get("negative_attributes", [])] = NEGATIVE
    return rows


def without_object_class(classes: Tensor, vocabulary: Vocabulary) -> Tensor:
    """Map detectron2's classes (N,) int64 to categories, the class C to NO_CATEGORY."""
    return classes.masked_fill(classes == len(vocabulary.categories), NO_CATEGORY)


def labelled_categories(record: dict[str, Any], vocabulary: Vocabulary) -> Tensor | None:
    """The field of `Annotations` of that name, from a dataset dict."""
    if "labelled_categories" not in record:
        return None
    is_labelled = torch.zeros(len(vocabulary.categories), dtype=torch.bool)
    is_labelled[record["labelled_categories"]] = True
    return is_labelled


def _columns_by_row(mask: Tensor) -> list[list[int]]:
    """The columns that are set in each row of a boolean matrix."""
    columns: list[list[int]] = [[] for _ in range(len(mask))]
    for row, column in mask.nonzero().tolist():
        columns[row].append(column)
    return columns

"""Annotations, Proposals and Detections: tensors of equal length, checked when made.

Letters: N boxes, R proposals, C category words, A attribute words. Boxes are x1, y1, x2, y2 as
float32, in pixels of the ORIGINAL image (the image file after its EXIF rotation), unless a
docstring says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from ovarnet.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas

POSITIVE, NEGATIVE, UNKNOWN = 1, 0, 2
"""Coding of attribute labels, as in VAW's label matrix."""

NO_CATEGORY = -1
"""Category index of a box whose category carries no label."""

Rows: TypeAlias = Tensor | np.ndarray | Sequence
"""What a tensor of one row per box is made from."""


def as_boxes(boxes: Rows, what: str = "boxes") -> Tensor:
    """Convert boxes to an (N, 4) float32 tensor.

    Args:
        boxes: N rows of four numbers; N may be 0.
        what: what they are, for messages.

    Raises:
        InputError: another shape, or numbers that are not finite.
    """
    boxes = torch.as_tensor(boxes, dtype=torch.float32).detach()
    if boxes.numel() == 0:
        return boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise InputError(
            f"{what} must have shape (N, 4) as x1, y1, x2, y2; got {tuple(boxes.shape)}"
        )
    bad = (~torch.isfinite(boxes).all(dim=1)).nonzero().flatten()
    if len(bad):
        raise InputError(
            f"{what}: box {int(bad[0])} is {boxes[bad[0]].tolist()}; every number must be finite"
        )
    return boxes


def are_fractions(boxes: Iterable[Sequence[float]]) -> bool:
    """Whether boxes are fractions of the image instead of pixels, as YOLO and Albumentations write.

    Args:
        boxes: numbers of each box, in any order of corners, sizes or centres.

    Returns:
        True if there are boxes, all numbers lie within 0..1 and at least one is no whole number.
    """
    is_any_between = False
    for numbers in boxes:
        if not all(0 <= number <= 1 for number in numbers):
            return False
        is_any_between = is_any_between or any(0 < number < 1 for number in numbers)
    return is_any_between


def _check_length(owner: str, length: int, **fields: Tensor | Sequence) -> None:
    for name, value in fields.items():
        if len(value) != length:
            raise InputError(f"{owner}: {name} has {len(value)} rows but there are {length} boxes")


@dataclass(init=False, eq=False)
class Annotations:
    """Ground truth of one image; index it with a mask or an index tensor to filter the boxes.

    Attributes:
        file: path of the image.
        image_id: its id in the annotation file.
        height: of the image in pixels.
        width: of the image in pixels.
        boxes: (N, 4) float32; N may be 0.
        categories: (N,) int64, index of the category in the vocabulary, or NO_CATEGORY.
        attributes: (N, A) int8 of POSITIVE, NEGATIVE and UNKNOWN.
        is_crowd: (N,) bool, boxes around many objects (COCO's iscrowd).
        instance_ids: N ids in the annotation file.
        is_difficult: (N,) bool, objects hard to recognise (VOC's difficult).
        labelled_categories: (C,) bool, the categories whose objects are all annotated in this
            image, so that the rest of the image is their background; None means all of them.
    """

    file: str
    image_id: str
    height: int
    width: int
    boxes: Tensor
    categories: Tensor
    attributes: Tensor
    is_crowd: Tensor
    instance_ids: list[str]
    is_difficult: Tensor
    labelled_categories: Tensor | None

    def __init__(
        self,
        file: str,
        image_id: str,
        height: int,
        width: int,
        boxes: Rows,
        categories: Rows,
        attributes: Rows,
        is_crowd: Rows | None = None,
        instance_ids: Sequence[str] | None = None,
        is_difficult: Rows | None = None,
        labelled_categories: Rows | None = None,
    ):
        """Convert and check all fields.

        Args:
            file: path of the image.
            image_id: its id in the annotation file.
            height: of the image in pixels.
            width: of the image in pixels.
            boxes: N rows of x1, y1, x2, y2.
            categories: N indices.
            attributes: N rows of A labels.
            is_crowd: N flags; None means no box is one.
            instance_ids: N ids; None numbers the boxes as "IMAGE_ID:0", ...
            is_difficult: N flags; None means no box is one.
            labelled_categories: C flags; None means all categories.

        Raises:
            InputError: fields of different length, or boxes that `as_boxes` refuses.
        """
        self.file, self.image_id, self.height, self.width = file, image_id, height, width
        self.boxes = as_boxes(boxes, f"boxes of image {image_id}")
        self.categories = torch.as_tensor(categories, dtype=torch.int64)
        self.attributes = torch.as_tensor(attributes, dtype=torch.int8)
        count = len(self.boxes)
        self.is_crowd = _flags(is_crowd, count)
        self.is_difficult = _flags(is_difficult, count)
        if instance_ids is None:
            instance_ids = [f"{image_id}:{row}" for row in range(count)]
        self.instance_ids = list(instance_ids)
        self.labelled_categories = (
            None
            if labelled_categories is None
            else torch.as_tensor(labelled_categories, dtype=torch.bool)
        )
        _check_length(
            f"annotations of image {image_id}",
            count,
            categories=self.categories,
            attributes=self.attributes,
            is_crowd=self.is_crowd,
            is_difficult=self.is_difficult,
            instance_ids=self.instance_ids,
        )

    @property
    def is_ignored(self) -> Tensor:
        """(N,) bool, crowd or difficult: boxes neither learned from nor counted as missed."""
        return self.is_crowd | self.is_difficult

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index) -> Annotations:
        kept = torch.arange(len(self))[index].reshape(-1)
        return replace(
            self,
            boxes=self.boxes[kept],
            categories=self.categories[kept],
            attributes=self.attributes[kept],
            is_crowd=self.is_crowd[kept],
            instance_ids=[self.instance_ids[row] for row in kept.tolist()],
            is_difficult=self.is_difficult[kept],
        )


def _flags(values: Rows | None, count: int) -> Tensor:
    if values is None:
        return torch.zeros(count, dtype=torch.bool)
    return torch.as_tensor(values, dtype=torch.bool)


def first_boxes(images: Sequence[Annotations], boxes: int) -> list[Annotations]:
    """The first images that together have at least `boxes` boxes."""
    kept: list[Annotations] = []
    count = 0
    for image in images:
        if count >= boxes:
            break
        kept.append(image)
        count += len(image)
    return kept


@dataclass(init=False, eq=False)
class Proposals:
    """Class-agnostic regions of one image, best first; index to filter.

    Attributes:
        boxes: (R, 4) float32; R may be 0.
        scores: (R,) float32 objectness in [0, 1].
    """

    boxes: Tensor
    scores: Tensor

    def __init__(self, boxes: Rows, scores: Rows):
        """Convert and check both fields.

        Args:
            boxes: R rows of x1, y1, x2, y2.
            scores: R numbers.

        Raises:
            InputError: fields of different length, or boxes that `as_boxes` refuses.
        """
        self.boxes = as_boxes(boxes, "proposals")
        self.scores = torch.as_tensor(scores, dtype=torch.float32)
        _check_length("proposals", len(self.boxes), scores=self.scores)

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index) -> Proposals:
        return Proposals(self.boxes[index].reshape(-1, 4), self.scores[index].reshape(-1))


@dataclass(eq=False)
class Detections:
    """What a model found in one image, for the words of the query; index to filter or reorder.

    Attributes:
        boxes: (N, 4) float32; N may be 0.
        scores: (N,) detection score in [0, 1].
        category_scores: (N, C) in [0, 1], columns in the order of `categories`.
        attribute_scores: (N, A) in [0, 1], columns in the order of `attributes`.
        categories: the C category words exactly as given; C may be 0.
        attributes: the A attribute words exactly as given; A may be 0.

    Raises:
        InputError: fields of different length, or a column too many or too few.
    """

    boxes: Tensor
    scores: Tensor
    category_scores: Tensor
    attribute_scores: Tensor
    categories: list[str] = field(default_factory=list)
    attributes: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.boxes = as_boxes(self.boxes, "detections")
        _check_length(
            "detections",
            len(self.boxes),
            scores=self.scores,
            category_scores=self.category_scores,
            attribute_scores=self.attribute_scores,
        )
        for name, scores, words in (
            ("category_scores", self.category_scores, self.categories),
            ("attribute_scores", self.attribute_scores, self.attributes),
        ):
            if scores.ndim != 2 or scores.shape[1] != len(words):
                raise InputError(
                    f"detections: {name} has shape {tuple(scores.shape)} but there are "
                    f"{len(words)} words"
                )

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index) -> Detections:
        kept = torch.arange(len(self))[index].reshape(-1)
        return replace(
            self,
            boxes=self.boxes[kept],
            scores=self.scores[kept],
            category_scores=self.category_scores[kept],
            attribute_scores=self.attribute_scores[kept],
        )

    @property
    def best_category(self) -> list[str | None]:
        """The highest-scoring category word of each box; None without category words."""
        if not self.categories:
            return [None] * len(self)
        return [self.categories[column] for column in self.category_scores.argmax(dim=1).tolist()]

    # Ways out. What they need is imported when they are called, since it is built on this module.

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and words, ready for JSON.

        Returns:
            The fields of NAME.json that tell of the boxes, rounded as there: ``categories``,
            ``attributes``, ``boxes``, ``scores``, ``category``, ``category_scores`` and
            ``attribute_scores``; see `ovarnet.io.results.image_record`.
        """
        from ovarnet.io.results import detections_record

        return detections_record(self)

    def to_pandas(self) -> pandas.DataFrame:
        """A table with one row a box; see `ovarnet.integrations.pandas.columns` for its columns.

        Raises:
            InputError: pandas is not installed.
        """
        from ovarnet.integrations.pandas import to_pandas

        return to_pandas(self)

    def plot(self, image: Any, **options: Any) -> np.ndarray:
        """Draw the boxes, with their best category and attributes.

        Args:
            image: what was detected in, in any form that `detect` takes.
            options: of `ovarnet.drawing.detections.draw`: ``top_attributes``,
                ``attribute_threshold``, ``ranks``.

        Returns:
            A new (H', W', 3) uint8 RGB picture, enlarged to a short side of 640 where smaller.

        Raises:
            InputError: an image that cannot be read.
        """
        from ovarnet.drawing.detections import draw

        return draw(image, self, **options)

    def save(self, image: Any, path: str | Path, **options: Any) -> None:
        """Write what `plot` draws; the file appears only when it is complete.

        Args:
            image: as for `plot`.
            path: written as PNG where it ends in .png, else as JPEG; missing folders are made.
            options: as for `plot`.

        Raises:
            InputError: an image that cannot be read.
        """
        from ovarnet.drawing.image_file import write_image

        write_image(path, self.plot(image, **options))

    def crops(self, image: Any) -> list[np.ndarray]:
        """Cut the boxes out of the image.

        Args:
            image: as for `plot`.

        Returns:
            N arrays (H, W, 3) uint8 RGB: each box, widened to whole pixels.

        Raises:
            InputError: an image that cannot be read.
        """
        from ovarnet.drawing.crops import cut_crops

        return cut_crops(image, self)

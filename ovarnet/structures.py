"""Annotations, Proposals and Detections: tensors of equal length, checked when made, indexed to
filter.

Letters: N boxes, R proposals, C category words, A attribute words. Boxes are xyxy, float32, in
pixels of the ORIGINAL image (the frame of the image file after its EXIF rotation), unless a
docstring says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ovarnet.errors import InputError

POSITIVE, NEGATIVE, UNKNOWN = 1, 0, 2
"""Coding of attribute labels, as in VAW's label matrix."""

NO_CATEGORY = -1
"""Category index of a box whose category carries no label."""


def as_boxes(boxes, what: str = "boxes") -> Tensor:
    """Return `boxes` as an (N, 4) float32 tensor; N may be 0. Rejects other shapes and non-finite
    numbers (InputError).
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


def _check_length(owner: str, length: int, **fields) -> None:
    for name, value in fields.items():
        if len(value) != length:
            raise InputError(f"{owner}: {name} has {len(value)} rows but there are {length} boxes")


@dataclass
class Annotations:
    """Ground truth of one image.

    file: path of the image. image_id: as in its file, always a str. height, width: pixels. boxes:
    (N, 4). categories: (N,) int64, index into the vocabulary's categories or NO_CATEGORY.
    attributes: (N, A) int8 of POSITIVE / NEGATIVE / UNKNOWN. is_crowd: (N,) bool. instance_ids: N
    strings. N may be 0.
    """

    file: str
    image_id: str
    height: int
    width: int
    boxes: Tensor
    categories: Tensor
    attributes: Tensor
    is_crowd: Tensor | None = None
    instance_ids: list[str] | None = None

    def __post_init__(self):
        self.boxes = as_boxes(self.boxes, f"boxes of image {self.image_id}")
        self.categories = torch.as_tensor(self.categories, dtype=torch.int64)
        self.attributes = torch.as_tensor(self.attributes, dtype=torch.int8)
        if self.is_crowd is None:
            self.is_crowd = torch.zeros(len(self.boxes), dtype=torch.bool)
        self.is_crowd = torch.as_tensor(self.is_crowd, dtype=torch.bool)
        if self.instance_ids is None:
            self.instance_ids = [f"{self.image_id}:{i}" for i in range(len(self.boxes))]
        _check_length(
            f"annotations of image {self.image_id}",
            len(self.boxes),
            categories=self.categories,
            attributes=self.attributes,
            is_crowd=self.is_crowd,
            instance_ids=self.instance_ids,
        )

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index) -> Annotations:
        """Filter by a mask or index tensor over the boxes."""
        kept = torch.arange(len(self))[index].reshape(-1)
        return Annotations(
            self.file,
            self.image_id,
            self.height,
            self.width,
            self.boxes[kept],
            self.categories[kept],
            self.attributes[kept],
            self.is_crowd[kept],
            [self.instance_ids[i] for i in kept.tolist()],
        )


def first_boxes(images: Sequence[Annotations], boxes: int) -> list[Annotations]:
    """The first images that together have at least `boxes` boxes."""
    kept, count = [], 0
    for image in images:
        if count >= boxes:
            break
        kept.append(image)
        count += len(image)
    return kept


@dataclass
class Proposals:
    """Class-agnostic regions of one image, best first. boxes: (R, 4). scores: (R,) objectness in
    [0, 1]. R may be 0.
    """

    boxes: Tensor
    scores: Tensor

    def __post_init__(self):
        self.boxes = as_boxes(self.boxes, "proposals")
        self.scores = torch.as_tensor(self.scores, dtype=torch.float32)
        _check_length("proposals", len(self.boxes), scores=self.scores)

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index) -> Proposals:
        return Proposals(self.boxes[index].reshape(-1, 4), self.scores[index].reshape(-1))


@dataclass
class Detections:
    """What a model found in one image, for the words that were asked.

    boxes: (N, 4). scores: (N,) detection score in [0, 1]. category_scores: (N, C) and
    attribute_scores: (N, A) in [0, 1], columns in the order of `categories` and `attributes`, which
    are the words exactly as given. N, C and A may be 0.
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
        """Filter or reorder by a mask, a slice or an index tensor over the boxes."""
        kept = torch.arange(len(self))[index].reshape(-1)
        return Detections(
            self.boxes[kept],
            self.scores[kept],
            self.category_scores[kept],
            self.attribute_scores[kept],
            self.categories,
            self.attributes,
        )

    @property
    def best_category(self) -> list[str | None]:
        """The highest-scoring category word of each box; None where no category was asked."""
        if not self.categories:
            return [None] * len(self)
        return [self.categories[i] for i in self.category_scores.argmax(dim=1).tolist()]

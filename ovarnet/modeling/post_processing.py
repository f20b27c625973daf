"""Which of the boxes found in an image are returned: threshold, suppression and limit.

Letters: N boxes, C category words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, TypedDict

import torch
from torch import Tensor
from torchvision.ops import batched_nms, box_area, nms

from ovarnet.errors import InputError
from ovarnet.io.word_thresholds import WordThresholds
from ovarnet.structures import Detections

if TYPE_CHECKING:
    from typing_extensions import Unpack

NMS_IOU = 0.5
"""Of a model that none was chosen for on validation images."""
ACROSS_CATEGORIES_IOU = 0.65
"""Boxes of different categories that overlap by more are taken for one object."""


class PostProcessingOptions(TypedDict, total=False):
    """The fields of `PostProcessing`, as keyword arguments."""

    threshold: float
    nms_iou: float
    class_agnostic: bool | None
    containment: float
    limit: int
    word_thresholds: WordThresholds | None


@dataclass(frozen=True)
class PostProcessing:
    """Keeps the best boxes of one image, without clutter.

    The protocols of evaluation know ``threshold``, ``nms_iou`` and ``limit`` alone, see `PROTOCOL`.

    Args:
        threshold: lowest detection score kept, in [0, 1].
        nms_iou: of boxes with the same best category that overlap by more, the best is kept; in
            (0, 1], and 1 keeps all.
        class_agnostic: whether boxes of different categories suppress each other too. True: at
            `nms_iou`; False: never; None: at `ACROSS_CATEGORIES_IOU`, or at `nms_iou` where that
            is higher.
        containment: a box is dropped where more than this share of it lies in a better one with the
            same best category; in (0, 1], and 1 keeps all. Without categories it does not apply,
            since a wheel is no clutter of its car.
        limit: most boxes kept, at least 1.
        word_thresholds: for categories with a threshold of their own, in place of `threshold`.

    Raises:
        InputError: a value outside its range.
    """

    threshold: float = 0.0
    nms_iou: float = NMS_IOU
    class_agnostic: bool | None = None
    containment: float = 0.9
    limit: int = 100
    word_thresholds: WordThresholds | None = None

    def __post_init__(self):
        if not _is_number(self.threshold) or not 0 <= self.threshold <= 1:
            raise InputError(f"threshold is {self.threshold!r}; it must be from 0 to 1")
        for name in ("nms_iou", "containment"):
            value = getattr(self, name)
            if not _is_number(value) or not 0 < value <= 1:
                raise InputError(f"{name} is {value!r}; it must be above 0 and at most 1")
        if self.class_agnostic not in (None, True, False):
            raise InputError(
                f"class_agnostic is {self.class_agnostic!r}; it must be True, False or None"
            )
        if not isinstance(self.limit, Integral) or self.limit is True or self.limit < 1:
            raise InputError(f"limit is {self.limit!r}; it must be a whole number of 1 or more")

    @property
    def lowest_threshold(self) -> float:
        """No box with a lower score is kept, whatever its category."""
        of_words = self.word_thresholds.categories.values() if self.word_thresholds else ()
        return min([self.threshold, *of_words])

    def updated(self, **options: Unpack[PostProcessingOptions]) -> PostProcessing:
        """The same with some fields changed."""
        return replace(self, **options)

    def __call__(self, found: Detections) -> Detections:
        """Select boxes.

        Args:
            found: N boxes in any order.

        Returns:
            The boxes kept, best first.
        """
        if self.word_thresholds is not None:
            found = self.word_thresholds.keep(found, self.threshold)
        elif self.threshold > 0:
            found = found[found.scores >= self.threshold]

        if self.class_agnostic:
            found = found[nms(found.boxes, found.scores, self.nms_iou)]
        else:
            found = best_detections(found, self.nms_iou, len(found))
        if self.containment < 1 and found.categories:
            found = without_contained(found, self.containment)

        # last, so that a second word for an object has dropped its own parts before it goes
        if self.class_agnostic is None:
            iou = max(self.nms_iou, ACROSS_CATEGORIES_IOU)
            found = found[nms(found.boxes, found.scores, iou)]
        return found[: self.limit]


PROTOCOL = PostProcessingOptions(threshold=0.0, class_agnostic=False, containment=1.0)
"""What evaluation asks for: NMS among boxes of the same best category and a limit, no more."""


def best_detections(found: Detections, nms_iou: float, limit: int) -> Detections:
    """Suppress overlapping boxes of the same best category, and keep the best of the rest.

    Args:
        found: N boxes in any order.
        nms_iou: of boxes that overlap by more, the one with the best score is kept.
        limit: most boxes kept.

    Returns:
        The boxes kept, best first. Suppression is class-agnostic where there is no category.
    """
    classes = _best_columns(found)
    return found[batched_nms(found.boxes, found.scores, classes, nms_iou)[:limit]]


def without_contained(found: Detections, containment: float) -> Detections:
    """Drop each box that lies in a better box of the same best category.

    A box around a better one stays: the better one may be a part of it.

    Args:
        found: N boxes, best first.
        containment: the share of a box that must lie in the better one.

    Returns:
        The boxes kept, in their order. A box that is dropped drops no others.
    """
    boxes, classes = found.boxes, _best_columns(found)
    upper_left = torch.maximum(boxes[:, None, :2], boxes[None, :, :2])
    lower_right = torch.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    intersection = (lower_right - upper_left).clamp(min=0).prod(dim=2)
    lies_in = intersection > containment * box_area(boxes)[:, None]
    lies_in &= classes[:, None] == classes[None]

    kept: list[int] = []
    for row in range(len(found)):
        if not lies_in[row, kept].any():
            kept.append(row)
    return found[kept]


def _best_columns(found: Detections) -> Tensor:
    """(N,) index of the best category; all 0 where there is no category."""
    if found.categories:
        return found.category_scores.argmax(dim=1)
    return torch.zeros(len(found), dtype=torch.int64)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)

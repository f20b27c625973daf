"""COCO-OVD AP50: base, novel and all categories compete in one run, scored by COCOeval.

Letters: N detections of an image, C categories.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ovarnet.errors import InputError
from ovarnet.evaluation.box_given import best_categories
from ovarnet.evaluation.coco_eval import MAX_DETECTIONS, ap50_of_categories
from ovarnet.evaluation.matching import pairwise_iou
from ovarnet.evaluation.protocols import LABELS, Evaluator, LabelRule
from ovarnet.structures import NO_CATEGORY, Annotations, Detections
from ovarnet.vocabulary import Vocabulary

IOU = 0.5
SCORE_THRESHOLD = 0.05
"""Of per-class scores, as in detectron2: a score must be larger."""


@dataclass(frozen=True)
class CocoOvdResult:
    """Result of `coco_ovd_ap50`.

    Attributes:
        ap50: (C,) float64, nan for a category without a box.
        boxes: (C,) annotated boxes that are no crowd.
        seen: (C,) bool, True for base categories.
    """

    ap50: np.ndarray
    boxes: np.ndarray
    seen: np.ndarray

    def mean(self, group: str = "all") -> float:
        """Mean AP50 over the categories of "base", "novel" or "all" that own boxes, or nan."""
        values = self.ap50[self.columns(group)]
        defined = values[~np.isnan(values)]
        return float(defined.mean()) if len(defined) else float("nan")

    def skipped(self, group: str = "all") -> int:
        """How many categories of the group own no box and are left out of `mean`."""
        return int(np.isnan(self.ap50[self.columns(group)]).sum())

    def columns(self, group: str) -> np.ndarray:
        """Columns of the categories of "base", "novel" or "all"."""
        masks = {"all": np.ones_like(self.seen), "base": self.seen, "novel": ~self.seen}
        return np.flatnonzero(masks[group])


def coco_ovd_ap50(
    annotations: Sequence[Annotations],
    predictions: Sequence[Detections],
    vocabulary: Vocabulary,
    *,
    labels: LabelRule = "argmax",
    evaluator: Evaluator = "faster-coco-eval",
) -> CocoOvdResult:
    """AP50 of every category, all of them competing.

    Boxes without a category are no ground truth (detections on them are false positives); crowd
    boxes absorb detections; detections on an image without boxes are false positives. As in VOC, a
    detection whose best box is difficult counts neither for nor against, and difficult boxes need
    not be found; detections of a category that an image does not label completely do not count.
    Equal scores rank by ascending image id (as numbers where all are), then by their order in the
    image.

    Args:
        annotations: of each image, category columns in the order of the vocabulary.
        predictions: of each image, likewise.
        vocabulary: C categories, base words with `seen`.
        labels: how detections get their labels, see `labelled_detections`. "argmax" is the rule of
            the OvarNet authors: one category per object. "all" is detectron2's and Detic's; it
            usually gives a higher AP because a second guess costs little, so the two are not
            comparable.
        evaluator: see `ap50_of_categories`.

    Raises:
        InputError: another number of predictions than annotations, or an unknown choice.
    """
    if len(annotations) != len(predictions):
        raise InputError(
            f"{len(annotations)} images with ground truth but {len(predictions)} with predictions"
        )
    seen = np.asarray(vocabulary.category_seen, dtype=bool)
    if not len(seen):
        return CocoOvdResult(np.zeros(0), np.zeros(0, np.int64), seen)

    # COCOeval ranks equal scores by ascending image id: images are numbered in that order.
    order = _ascending([image.image_id for image in annotations])
    images, truth, found = [], [], []
    for number, i in enumerate(order, start=1):
        image = annotations[i]
        images.append({"id": number, "height": image.height, "width": image.width})
        truth += _truth_records(number, image)
        found += _result_records(number, predictions[i], labels, image)
    dataset = {
        "images": images,
        "annotations": [{"id": i, **record} for i, record in enumerate(truth, start=1)],
        "categories": [{"id": c + 1, "name": str(c + 1)} for c in range(len(seen))],
    }
    boxes = np.bincount(
        np.array([box["category_id"] - 1 for box in truth if not box["iscrowd"]], dtype=np.int64),
        minlength=len(seen),
    )
    return CocoOvdResult(ap50_of_categories(dataset, found, evaluator), boxes, seen)


def labelled_detections(
    detections: Detections, labels: LabelRule = "argmax"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The labelled detections of an image, best first, at most 100 over all categories.

    Args:
        detections: N boxes with category scores (N, C).
        labels: "argmax": each box once, with its best category (equal scores: the lowest column)
            and its detection score; a row of zeros names no category and is left out. "all": each
            box once per category whose category score is larger than 0.05, with that score.

    Returns:
        Three arrays of equal length: row, category column, score. Equal scores keep the order of
        rows, then of columns.

    Raises:
        InputError: no such rule.
    """
    if labels not in LABELS:
        raise InputError(f"labels must be one of {', '.join(LABELS)}; got {labels!r}")
    category_scores = detections.category_scores.double().numpy()
    if labels == "argmax":
        best = best_categories(category_scores)
        rows = np.flatnonzero(best >= 0)
        columns, scores = best[rows], detections.scores.double().numpy()[rows]
    else:
        rows, columns = np.nonzero(category_scores > SCORE_THRESHOLD)
        scores = category_scores[rows, columns]
    order = np.argsort(-scores, kind="stable")[:MAX_DETECTIONS]
    return rows[order], columns[order], scores[order]


def _ascending(image_ids: Sequence[str]) -> list[int]:
    """Positions of the images in the order of their ids, as numbers where all are."""
    positions = range(len(image_ids))
    if all(image_id.isdecimal() for image_id in image_ids):
        return sorted(positions, key=lambda i: int(image_ids[i]))
    return sorted(positions, key=lambda i: image_ids[i])


def _xywh(boxes: Tensor) -> list[list[float]]:
    x1, y1, x2, y2 = boxes.double().unbind(dim=1)
    return np.stack([x1, y1, x2 - x1, y2 - y1], axis=1).tolist()


def _truth_records(number: int, image: Annotations) -> list[dict]:
    image = image[(image.categories != NO_CATEGORY) & ~image.is_difficult]
    return [
        {
            "image_id": number,
            "category_id": category + 1,
            "bbox": box,
            "area": box[2] * box[3],
            "iscrowd": int(crowd),
        }
        for box, category, crowd in zip(
            _xywh(image.boxes), image.categories.tolist(), image.is_crowd.tolist(), strict=True
        )
    ]


def _result_records(
    number: int, detections: Detections, labels: LabelRule, image: Annotations
) -> list[dict]:
    rows, columns, scores = labelled_detections(detections, labels)
    counts = ~_is_spared(detections.boxes[rows], columns, image)
    rows, columns, scores = rows[counts], columns[counts], scores[counts]
    boxes = _xywh(detections.boxes[rows])
    return [
        {"image_id": number, "category_id": column + 1, "bbox": box, "score": score}
        for box, column, score in zip(boxes, columns.tolist(), scores.tolist(), strict=True)
    ]


def _is_spared(boxes: Tensor, columns: np.ndarray, image: Annotations) -> np.ndarray:
    """(N,) bool: detections that count neither as right nor as false.

    Their category is not labelled completely in the image, or the box of it that they overlap most
    is difficult.
    """
    spared = np.zeros(len(columns), dtype=bool)
    if image.labelled_categories is not None:
        spared |= ~image.labelled_categories.numpy()[columns]
    if image.is_difficult.any():
        iou = pairwise_iou(image.boxes, boxes)
        iou[image.categories.numpy()[:, None] != columns] = -1
        best = iou.argmax(axis=0)
        is_difficult = image.is_difficult.numpy()[best]
        spared |= is_difficult & (iou[best, np.arange(len(columns))] >= IOU)
    return spared

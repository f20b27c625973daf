"""COCO-OVD AP50: base, novel and all categories compete in one run, scored by COCOeval (through
faster-coco-eval).

AP50 of a category: mean over 101 recall points of the interpolated precision at IoU 0.5, all areas,
at most 100 detections per image. base / novel / all are means over the categories that own at least
one non-crowd box; the others are left out and counted. Letters: N detections of an image, C
categories.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster

from ovarnet.errors import InputError
from ovarnet.structures import NO_CATEGORY, Annotations, Detections
from ovarnet.vocabulary import Vocabulary

LABEL_RULES = ("argmax", "all")
MAX_DETECTIONS = 100
SCORE_THRESHOLD = 0.05


@dataclass(frozen=True)
class CocoOvdResult:
    """ap50: (C,) float64, nan for a category without a box. boxes: (C,) non-crowd boxes. seen: (C,)
    bool, True for base.
    """

    ap50: np.ndarray
    boxes: np.ndarray
    seen: np.ndarray

    def mean(self, group: str = "all") -> float:
        """Mean AP50 of "base", "novel" or "all" over the categories that own boxes; nan when none
        does.
        """
        values = self.ap50[self.columns(group)]
        return (
            float(values[~np.isnan(values)].mean()) if (~np.isnan(values)).any() else float("nan")
        )

    def skipped(self, group: str = "all") -> int:
        return int(np.isnan(self.ap50[self.columns(group)]).sum())

    def columns(self, group: str) -> np.ndarray:
        return np.flatnonzero(
            {"all": np.ones_like(self.seen), "base": self.seen, "novel": ~self.seen}[group]
        )


def coco_ovd_ap50(
    annotations: Sequence[Annotations],
    predictions: Sequence[Detections],
    vocabulary: Vocabulary,
    *,
    labels: str = "argmax",
) -> CocoOvdResult:
    """AP50 of `predictions[i]` against `annotations[i]`; category columns of both in the order of
    `vocabulary.categories`.

    Boxes without a category are no ground truth (detections on them are false positives); crowd
    boxes absorb detections. Equal scores are ranked by image id (as numbers where all are) and then
    by their order in the image. labels: how detections get labels, see `labelled_detections`.
    "argmax" is the OvarNet authors' rule and the default: the model says one category per object.
    "all" is what detectron2 and Detic do with per-class scores; it usually gives a higher AP,
    because a second guess costs little, so the two must not be compared with each other.
    """
    if len(annotations) != len(predictions):
        raise InputError(
            f"{len(annotations)} images with ground truth but {len(predictions)} with predictions"
        )
    seen = np.asarray(vocabulary.category_seen, dtype=bool)
    order = _ascending([image.image_id for image in annotations])
    images = [
        {"id": number, "height": annotations[i].height, "width": annotations[i].width}
        for number, i in enumerate(order, 1)
    ]
    truth = [
        record
        for number, i in enumerate(order, 1)
        for record in _truth_records(number, annotations[i])
    ]
    found = [
        record
        for number, i in enumerate(order, 1)
        for record in _result_records(number, predictions[i], labels)
    ]
    boxes = np.bincount(
        [record["category_id"] - 1 for record in truth if not record["iscrowd"]],
        minlength=len(seen),
    )
    dataset = {
        "images": images,
        "annotations": [{"id": i, **record} for i, record in enumerate(truth, 1)],
        "categories": [{"id": c + 1, "name": str(c + 1)} for c in range(len(seen))],
    }
    return CocoOvdResult(
        _ap50_of_categories(dataset, found) if len(seen) else np.zeros(0), boxes, seen
    )


def labelled_detections(
    detections: Detections, labels: str = "argmax"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(row, category column, score) of every labelled detection of an image, best first, at most
    100 over all categories.

    "argmax": each box once, with its best category (ties: the lowest column) and its detection
    score. "all": each box once per category, entries below 0.05 left out. The score of a box for
    category c is scores * sqrt(p_c / max p), which is sqrt(objectness * p_c) because scores is
    sqrt(objectness * max p).
    """
    if labels not in LABEL_RULES:
        raise InputError(f"labels must be one of {', '.join(LABEL_RULES)}; got {labels!r}")
    scores, probabilities = (
        detections.scores.double().numpy(),
        detections.category_scores.double().numpy(),
    )
    if not probabilities.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    if labels == "argmax":
        rows, columns = np.arange(len(scores)), probabilities.argmax(axis=1)
    else:
        best = probabilities.max(axis=1, keepdims=True)
        combined = scores[:, None] * np.sqrt(
            np.divide(probabilities, best, out=np.zeros_like(probabilities), where=best > 0)
        )
        rows, columns = np.nonzero(combined >= SCORE_THRESHOLD)
        scores = combined[rows, columns]
    order = np.argsort(-scores, kind="stable")[:MAX_DETECTIONS]
    return rows[order], columns[order], scores[order]


def _ascending(image_ids: list[str]) -> list[int]:
    numbers = all(image_id.isdecimal() for image_id in image_ids)
    return sorted(
        range(len(image_ids)), key=lambda i: int(image_ids[i]) if numbers else image_ids[i]
    )


def _xywh(boxes) -> list[list[float]]:
    x1, y1, x2, y2 = boxes.double().unbind(dim=1)
    return np.stack([x1, y1, x2 - x1, y2 - y1], axis=1).tolist()


def _truth_records(number: int, image: Annotations) -> list[dict]:
    image = image[image.categories != NO_CATEGORY]
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


def _result_records(number: int, detections: Detections, labels: str) -> list[dict]:
    rows, columns, scores = labelled_detections(detections, labels)
    boxes = _xywh(detections.boxes[rows])
    return [
        {"image_id": number, "category_id": column + 1, "bbox": box, "score": score}
        for box, column, score in zip(boxes, columns.tolist(), scores.tolist(), strict=True)
    ]


def _ap50_of_categories(dataset: dict, found: list[dict]) -> np.ndarray:
    """(C,) AP50 by COCOeval, nan where it reports precision -1."""
    if not found:
        owned = {
            record["category_id"] for record in dataset["annotations"] if not record["iscrowd"]
        }
        return np.array(
            [0.0 if category["id"] in owned else np.nan for category in dataset["categories"]]
        )
    truth = COCO(dataset)
    evaluation = COCOeval_faster(truth, truth.loadRes(found), iouType="bbox")
    evaluation.params.iouThrs = np.array([0.5])
    evaluation.params.maxDets = [MAX_DETECTIONS]
    evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
    evaluation.evaluate()
    evaluation.accumulate()
    precision = evaluation.eval["precision"][0, :, :, 0, 0]  # 101 recall points x C
    return np.where(precision[0] > -1, precision.mean(axis=0), np.nan)

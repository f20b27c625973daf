"""AP at IoU 0.5 of every category by COCOeval: pycocotools, the reference, or faster-coco-eval."""

from __future__ import annotations

import contextlib
import io

import numpy as np

from ovarnet.errors import InputError
from ovarnet.evaluation.protocols import EVALUATORS, Evaluator

MAX_DETECTIONS = 100
"""Detections of an image that count, for each category."""
ALL_AREAS = [[0, 1e10]]


def ap50_of_categories(
    dataset: dict, results: list[dict], evaluator: Evaluator = "faster-coco-eval"
) -> np.ndarray:
    """AP50 per category: mean of the interpolated precision at 101 recall points, all areas.

    Args:
        dataset: COCO's images, annotations and categories. C categories, their ids rising.
        results: COCO results (image_id, category_id, bbox, score); may be empty.
        evaluator: whose COCOeval computes it. The numbers are the same; faster-coco-eval takes a
            tenth of the time.

    Returns:
        (C,) float64, nan for a category without a box that is no crowd.

    Raises:
        InputError: no such evaluator.
    """
    if evaluator not in EVALUATORS:
        raise InputError(f"evaluator must be one of {', '.join(EVALUATORS)}; got {evaluator!r}")
    if not results:  # COCO's loadRes cannot load an empty list
        owners = {box["category_id"] for box in dataset["annotations"] if not box["iscrowd"]}
        return np.array([0.0 if c["id"] in owners else np.nan for c in dataset["categories"]])
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        evaluation = _evaluation(dataset, results, evaluator)
        evaluation.params.iouThrs = np.array([0.5])
        evaluation.params.maxDets = [MAX_DETECTIONS]
        evaluation.params.areaRng, evaluation.params.areaRngLbl = ALL_AREAS, ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][0, :, :, 0, 0]  # 101 recall points x C
    return np.where(precision[0] > -1, precision.mean(axis=0), np.nan)


def _evaluation(dataset: dict, results: list[dict], evaluator: Evaluator):
    if evaluator == "pycocotools":
        from pycocotools import coco, cocoeval

        truth = coco.COCO()
        truth.dataset = dataset
        truth.createIndex()
        return cocoeval.COCOeval(truth, truth.loadRes(results), iouType="bbox")
    from faster_coco_eval import COCO, COCOeval_faster

    truth = COCO(dataset)
    return COCOeval_faster(truth, truth.loadRes(results), iouType="bbox")

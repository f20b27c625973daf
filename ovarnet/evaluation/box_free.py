"""Box-free attributes: each ground-truth box gets the attribute scores of a detection, by one of
two published protocols.

* "authors" (OvarNet's own): every ground truth takes the detection of highest IoU. No IoU
  threshold, a detection may serve several ground truths, and where nothing overlaps the first
  detection serves.
* "ovad" (OVAD benchmark): one-to-one, largest IoU first, IoU >= 0.5; an unmatched ground truth
scores 0 for every attribute.

Neither looks at class labels or detection scores, and in both false positives are free: this is
attribute classification under localisation recall, not a detection AP. "ovad" is the stricter one;
numbers are only comparable under the same protocol. Letters: G ground-truth boxes, P detections, A
attributes, N rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ovarnet.errors import InputError
from ovarnet.evaluation.matching import greedy_match, pairwise_iou
from ovarnet.structures import Annotations, Detections

PROTOCOLS = ("authors", "ovad")
OVAD_MINIMUM_IOU = 0.5


def match_boxes(pred_boxes, gt_boxes, protocol: str) -> Tensor:
    """The detection that speaks for each ground truth: (G,) int64 index into `pred_boxes`, or -1
    for none.

    pred_boxes: (P, 4), gt_boxes: (G, 4), xyxy in one frame. IoU in float32. Ties: "authors" the
    lowest detection; "ovad" the lowest ground truth, then the lowest detection. Without detections
    every ground truth has -1.
    """
    if protocol not in PROTOCOLS:
        raise InputError(
            f"box-free protocol must be one of {', '.join(PROTOCOLS)}; got {protocol!r}"
        )
    iou = pairwise_iou(gt_boxes, pred_boxes)
    if protocol == "ovad":
        return torch.from_numpy(greedy_match(iou, OVAD_MINIMUM_IOU))
    if iou.shape[1] == 0:
        return torch.full((len(iou),), -1, dtype=torch.int64)
    return torch.from_numpy(iou.argmax(axis=1))


@dataclass(frozen=True)
class BoxFreeRows:
    """One row per ground-truth box: scores (N, A) float32, labels (N, A) int8, and what happened on
    the way.

    images: with ground truth. images_without_predictions: those of them where nothing was detected.
    boxes_without_predictions: their ground-truth boxes. unmatched: rows of zeros. Left out are only
    the boxes that `silent` = "skip" left out.
    """

    scores: np.ndarray
    labels: np.ndarray
    images: int
    images_without_predictions: int
    boxes_without_predictions: int
    unmatched: int


def box_free_rows(
    pairs: Iterable[tuple[Annotations, Detections]], protocol: str, *, silent: str = "miss"
) -> BoxFreeRows:
    """Rows for `attribute_metrics` from (ground truth, detections) per image. Every box of the
    ground truth takes part.

    silent: what an image without detections does. "miss": each of its boxes is a row of zeros.
    "skip": its boxes are left out, as the official OVAD tool does, which flatters detectors that
    stay silent. (The authors' tool would crash there.)
    """
    if silent not in ("miss", "skip"):
        raise InputError(f"silent must be 'miss' or 'skip'; got {silent!r}")
    scores, labels, words = [], [], 0
    images = images_without = boxes_without = unmatched = 0
    for truth, found in pairs:
        words = truth.attributes.shape[1]
        images += bool(len(truth))
        if not len(found):
            images_without, boxes_without = (
                images_without + bool(len(truth)),
                boxes_without + len(truth),
            )
            if silent == "skip":
                continue
        match = match_boxes(found.boxes, truth.boxes, protocol)
        rows = torch.zeros(truth.attributes.shape, dtype=torch.float32)
        rows[match >= 0] = found.attribute_scores[match[match >= 0]].to(rows)
        unmatched += int((match < 0).sum())
        scores.append(rows.numpy())
        labels.append(truth.attributes.numpy())
    return BoxFreeRows(
        np.concatenate([np.zeros((0, words), np.float32), *scores]),
        np.concatenate([np.zeros((0, words), np.int8), *labels]),
        images,
        images_without,
        boxes_without,
        unmatched,
    )

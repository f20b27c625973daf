"""Box-free attributes: every annotated box gets the attribute scores of a detection.

Two published protocols assign the detections:

* "authors" (OvarNet's own code): every annotated box takes the detection of highest IoU. There is
  no IoU threshold, a detection may serve several annotated boxes, and where nothing overlaps the
  first detection serves.
* "ovad" (OVAD's benchmark): one-to-one, largest IoU first, IoU >= 0.5; an unmatched annotated box
  scores 0 for every attribute.

All annotated boxes take part, crowds and boxes without attribute labels too, as in OVAD's tool (its
loader does not pass `iscrowd` on). Category labels and detection scores play no part, and false
positives are free: this is attribute classification under localisation recall, no detection AP.
Letters: G annotated boxes, P detections, A attributes, N rows.
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


def match_boxes(pred_boxes: Tensor, gt_boxes: Tensor, protocol: str) -> Tensor:
    """The detection assigned to each annotated box.

    Args:
        pred_boxes: (P, 4) xyxy; P may be 0, and then nothing is assigned.
        gt_boxes: (G, 4) xyxy in the same frame; G may be 0.
        protocol: "authors" or "ovad". IoU is computed in float32. Equal IoU: "authors" the lowest
            detection; "ovad" the lowest annotated box, then the lowest detection.

    Returns:
        (G,) int64 indices into `pred_boxes`, -1 for none.

    Raises:
        InputError: no such protocol.
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
    """One row per annotated box, for `attribute_metrics`.

    Attributes:
        scores: (N, A), in the precision of the detections.
        labels: (N, A) int8.
        images: how many images have annotated boxes.
        images_without_predictions: how many of these have no detection.
        boxes_without_predictions: the annotated boxes of those images.
        unmatched: rows of zeros.
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
    """Match the detections of every image and collect the rows.

    Args:
        pairs: (annotations, detections) of each image.
        protocol: see `match_boxes`.
        silent: what becomes of the annotated boxes of an image without detections. "miss": rows of
            zeros. "skip": left out, as in OVAD's tool, which flatters detectors that stay silent.
            (The authors' code would crash there.)

    Raises:
        InputError: no such protocol, or another value of `silent`.
    """
    if silent not in ("miss", "skip"):
        raise InputError(f"silent must be 'miss' or 'skip'; got {silent!r}")
    scores: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    words = images = images_without = boxes_without = unmatched = 0
    for truth, found in pairs:
        words = truth.attributes.shape[1]
        images += bool(len(truth))
        if not len(found):
            images_without += bool(len(truth))
            boxes_without += len(truth)
            if silent == "skip":
                continue

        match = match_boxes(found.boxes, truth.boxes, protocol)
        is_matched = match >= 0
        rows = torch.zeros(truth.attributes.shape, dtype=found.attribute_scores.dtype)
        rows[is_matched] = found.attribute_scores[match[is_matched]]
        unmatched += int((~is_matched).sum())
        scores.append(rows.numpy())
        labels.append(truth.attributes.numpy())
    return BoxFreeRows(
        np.concatenate(scores) if scores else np.zeros((0, words)),
        np.concatenate(labels) if labels else np.zeros((0, words), np.int8),
        images,
        images_without,
        boxes_without,
        unmatched,
    )

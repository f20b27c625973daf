"""IoU and one-to-one matching of annotated boxes and predictions.

Letters: G annotated boxes, P predictions.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torchvision.ops import box_iou


def pairwise_iou(gt_boxes: Tensor | ArrayLike, pred_boxes: Tensor | ArrayLike) -> np.ndarray:
    """IoU of every pair, computed in float32 and without "+ 1".

    Args:
        gt_boxes: (G, 4) xyxy; G may be 0.
        pred_boxes: (P, 4) xyxy in the same frame; P may be 0.

    Returns:
        (G, P) float32; 0 for two boxes without area.
    """
    gt_boxes = torch.as_tensor(gt_boxes, dtype=torch.float32).reshape(-1, 4)
    pred_boxes = torch.as_tensor(pred_boxes, dtype=torch.float32).reshape(-1, 4)
    return box_iou(gt_boxes, pred_boxes).nan_to_num(0.0).numpy()


def greedy_match(iou: np.ndarray, minimum: float) -> np.ndarray:
    """Match one-to-one: take the largest IoU, remove its row and column, repeat.

    Args:
        iou: (G, P).
        minimum: a smaller IoU never matches; an IoU equal to it does.

    Returns:
        (G,) int64: the column matched to each row, -1 for none. Equal IoU: the lowest row, then the
        lowest column.
    """
    match = np.full(len(iou), -1, dtype=np.int64)
    rows, columns = np.nonzero(iou >= minimum)
    order = np.argsort(-iou[rows, columns], kind="stable")
    is_taken = np.zeros(iou.shape[1], dtype=bool)
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if match[row] < 0 and not is_taken[column]:
            match[row], is_taken[column] = column, True
    return match

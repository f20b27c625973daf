"""One-to-one matching of ground truth and predictions by IoU, shared by OVAD's box-free protocol
and by recall.
"""

from __future__ import annotations

import numpy as np
import torch
from torchvision.ops import box_iou


def pairwise_iou(gt_boxes, pred_boxes) -> np.ndarray:
    """(G, P) float32 IoU of xyxy boxes, no +1; a pair of boxes without area has 0. G and P may be
    0.
    """
    gt_boxes = torch.as_tensor(gt_boxes, dtype=torch.float32).reshape(-1, 4)
    pred_boxes = torch.as_tensor(pred_boxes, dtype=torch.float32).reshape(-1, 4)
    return box_iou(gt_boxes, pred_boxes).nan_to_num(0.0).numpy()


def greedy_match(iou: np.ndarray, minimum: float) -> np.ndarray:
    """One-to-one: again and again the largest remaining IoU, then both sides leave. IoU < `minimum`
    never matches, `minimum` itself does.

    iou: (G, P). Returns (G,) int64: the column matched to each row, or -1. Ties: lowest row, then
    lowest column.
    """
    match = np.full(len(iou), -1, dtype=np.int64)
    rows, columns = np.nonzero(iou >= minimum)
    order = np.argsort(-iou[rows, columns], kind="stable")
    taken = np.zeros(iou.shape[1], dtype=bool)
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if match[row] < 0 and not taken[column]:
            match[row], taken[column] = column, True
    return match

"""Recall of boxes, whatever their categories: R@k at one IoU, AR@k over IoU 0.5:0.05:0.95.

Letters: G annotated boxes, P boxes found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ovarnet.errors import InputError
from ovarnet.evaluation.matching import greedy_match, pairwise_iou
from ovarnet.structures import NO_CATEGORY, Annotations, Detections, Proposals

AR_IOUS = np.linspace(0.5, 0.95, 10)


@dataclass(frozen=True)
class BoxRecall:
    """One-to-one IoU of every annotated box with the k best boxes found in its image.

    Attributes:
        ious: {k: (G,) float32, 0 where unmatched}.
        group: (G,) "base", "novel", or "" for a box without a category, which counts in "all" only.
    """

    ious: dict[int, np.ndarray]
    group: np.ndarray

    def recall(self, k: int, group: str = "all", iou: float = 0.5) -> float:
        """R@k: share of the annotated boxes of a group that are matched at `iou` or more.

        Args:
            k: one of those in `ious`.
            group: "all", "base" or "novel".
            iou: at least 0.5.

        Returns:
            The share, nan without annotated boxes.
        """
        matched = self.ious[k] if group == "all" else self.ious[k][self.group == group]
        return float((matched >= np.float32(iou)).mean()) if len(matched) else float("nan")

    def average_recall(self, k: int, group: str = "all") -> float:
        """AR@k: mean of R@k over IoU 0.5, 0.55, ..., 0.95."""
        return float(np.mean([self.recall(k, group, iou) for iou in AR_IOUS]))

    def count(self, group: str = "all") -> int:
        """How many annotated boxes the group has."""
        return len(self.group) if group == "all" else int((self.group == group).sum())


def box_recall(
    pairs: Iterable[tuple[Annotations, Detections | Proposals]],
    category_seen: Tensor | ArrayLike,
    ks: Sequence[int] = (50, 100),
) -> BoxRecall:
    """Match the k best boxes of every image to its annotated boxes, one-to-one (`greedy_match`).

    Args:
        pairs: (annotations, boxes found) of each image; crowd and difficult boxes are left out.
            Best are the boxes of highest score, the first of equal ones.
        category_seen: (C,) bool, True for base categories.
        ks: how many boxes count, each at least 1.

    Raises:
        InputError: no k, or one below 1.
    """
    if not ks or min(ks) < 1:
        raise InputError(f"recall needs k of at least 1; got {list(ks)}")
    is_base = torch.as_tensor(category_seen, dtype=torch.bool).numpy()
    names = np.array([*np.where(is_base, "base", "novel"), ""])  # the last: NO_CATEGORY
    ious: dict[int, list[np.ndarray]] = {k: [] for k in ks}
    group: list[np.ndarray] = []
    for truth, found in pairs:
        truth = truth[~truth.is_ignored]
        order = torch.argsort(found.scores, descending=True, stable=True)
        iou = pairwise_iou(truth.boxes, found.boxes[order])
        for k in ks:
            ious[k].append(_matched_iou(iou[:, :k]))
        group.append(names[np.where(truth.categories == NO_CATEGORY, -1, truth.categories)])
    return BoxRecall(
        {k: np.concatenate([np.zeros(0, np.float32), *parts]) for k, parts in ious.items()},
        np.concatenate([np.zeros(0, names.dtype), *group]),
    )


def _matched_iou(iou: np.ndarray) -> np.ndarray:
    """(G,) IoU of each annotated box with its match, 0 without one."""
    match = greedy_match(iou, minimum=AR_IOUS[0])
    if not iou.shape[1]:
        return np.zeros(len(iou), np.float32)
    return np.where(match >= 0, iou[np.arange(len(match)), match], 0)

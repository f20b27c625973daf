"""Recall of boxes: R@k at one IoU and AR@k over IoU 0.5:0.05:0.95, for base, novel and all
ground-truth boxes; categories play no part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ovarnet.errors import InputError
from ovarnet.evaluation.matching import greedy_match, pairwise_iou
from ovarnet.structures import NO_CATEGORY, Annotations

AR_IOUS = np.linspace(0.5, 0.95, 10)


@dataclass(frozen=True)
class BoxRecall:
    """Best one-to-one IoU of every ground truth with the k best boxes of its image.

    ious: {k: (G,) float32, 0 where unmatched}. group: (G,) "base", "novel" or "" (a box without a
    category, counted in "all" only).
    """

    ious: dict[int, np.ndarray]
    group: np.ndarray

    def recall(self, k: int, group: str = "all", iou: float = 0.5) -> float:
        """R@k: share of the ground truths of `group` ("all", "base", "novel") matched at IoU >=
        `iou`; nan without ground truth.
        """
        chosen = self._of(k, group)
        return float((chosen >= np.float32(iou)).mean()) if len(chosen) else float("nan")

    def average_recall(self, k: int, group: str = "all") -> float:
        """AR@k: mean of R@k over IoU 0.5, 0.55, ..., 0.95."""
        return float(np.mean([self.recall(k, group, iou) for iou in AR_IOUS]))

    def count(self, group: str = "all") -> int:
        return len(self.group) if group == "all" else int((self.group == group).sum())

    def _of(self, k: int, group: str) -> np.ndarray:
        return self.ious[k] if group == "all" else self.ious[k][self.group == group]


def box_recall(
    pairs: Iterable[tuple[Annotations, object]], category_seen, ks: Sequence[int] = (50, 100)
) -> BoxRecall:
    """Recall from (ground truth, boxes found) per image; crowd boxes are left out.

    pairs: the second of each is a Proposals or Detections, or anything with `boxes` (P, 4) and
    `scores` (P,); the k of highest score count (ties: the first). A box found serves one ground
    truth: pairs are made greedily, largest IoU first. category_seen: (C,) bool, True for base.
    """
    if not ks or min(ks) < 1:
        raise InputError(f"recall needs k of at least 1; got {list(ks)}")
    names = np.array(
        [*np.where(torch.as_tensor(category_seen, dtype=torch.bool).numpy(), "base", "novel"), ""]
    )
    ious, group = {k: [] for k in ks}, []
    for truth, found in pairs:
        truth = truth[~truth.is_crowd]
        order = torch.argsort(torch.as_tensor(found.scores), descending=True, stable=True)
        overlap = pairwise_iou(truth.boxes, found.boxes[order])
        for k in ks:
            match = greedy_match(overlap[:, :k], minimum=np.float32(AR_IOUS[0]))
            matched = (
                overlap[np.arange(len(match)), match]
                if overlap.shape[1]
                else np.zeros(len(match), np.float32)
            )
            ious[k].append(np.where(match >= 0, matched, 0))
        group.append(names[np.where(truth.categories == NO_CATEGORY, -1, truth.categories)])
    return BoxRecall(
        {k: np.concatenate([np.zeros(0, np.float32), *parts]) for k, parts in ious.items()},
        np.concatenate([np.zeros(0, names.dtype), *group]),
    )

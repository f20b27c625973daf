"""Box-given: ground-truth boxes are handed to the model, which has to say the category of each.
(Attributes: `attributes.py`, same rows.)

Letters: N boxes, C categories.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ovarnet.evaluation.average_precision import average_precision


@dataclass(frozen=True)
class CategoryMetrics:
    """correct, boxes: (C,) counts per true category. ap: (C,) AP per category, nan without boxes.
    chance: (C,) share of the boxes.
    """

    correct: np.ndarray
    boxes: np.ndarray
    ap: np.ndarray
    chance: np.ndarray

    def accuracy(self, columns=slice(None)) -> float:
        """Share of the boxes of these true categories whose best category, among ALL C words, is
        right; nan without boxes.
        """
        boxes = self.boxes[columns].sum()
        return float(self.correct[columns].sum() / boxes) if boxes else float("nan")

    def mean_ap(self, columns=slice(None)) -> float:
        """Mean AP over these categories, those without boxes left out; nan when none is left."""
        ap = self.ap[columns]
        return float(ap[~np.isnan(ap)].mean()) if (~np.isnan(ap)).any() else float("nan")

    def mean_chance(self, columns=slice(None)) -> float:
        """Mean AP of constant scores over the same categories as `mean_ap`."""
        chance = self.chance[columns][~np.isnan(self.ap[columns])]
        return float(chance.mean()) if len(chance) else float("nan")


def category_metrics(category_scores, categories) -> CategoryMetrics:
    """Category of given boxes, as the authors score it: all scores but each box's arg-max are set
    to 0, then AP per category.

    category_scores: (N, C) in [0, 1]. categories: (N,) true column, or -1: the box is left out.
    Arg-max ties: the lowest column. This is not a detection AP: nothing is localised.
    """
    category_scores, categories = np.asarray(category_scores), np.asarray(categories)
    known = categories >= 0
    category_scores, categories = category_scores[known], categories[known]
    count = category_scores.shape[1]
    truth = (categories[:, None] == np.arange(count)).astype(np.int8)
    best = category_scores.argmax(axis=1) if count else np.zeros(0, dtype=np.int64)
    kept = np.where(best[:, None] == np.arange(count), category_scores, 0)
    boxes = truth.sum(axis=0, dtype=np.int64)
    correct = np.bincount(categories[best == categories], minlength=count) if count else boxes
    return CategoryMetrics(
        correct, boxes, average_precision(kept, truth), boxes / max(1, len(categories))
    )

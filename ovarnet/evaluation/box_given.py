"""Box-given categories: the annotated boxes are given, the model says the category of each.

Letters: N boxes, C categories.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ovarnet.evaluation.average_precision import average_precision

Columns = np.ndarray | slice
"""Which categories: indices, a mask or a slice."""


@dataclass(frozen=True)
class CategoryMetrics:
    """Result of `category_metrics`.

    Attributes:
        correct: (C,) boxes of each true category whose best category is right.
        boxes: (C,) boxes of each true category.
        ap: (C,) AP, nan for a category without boxes.
        chance: (C,) share of all boxes, the AP of constant scores.
    """

    correct: np.ndarray
    boxes: np.ndarray
    ap: np.ndarray
    chance: np.ndarray

    def accuracy(self, columns: Columns = slice(None)) -> float:
        """Share of the boxes of these true categories whose best category is right.

        The best category is sought among all C words; nan without boxes.
        """
        boxes = self.boxes[columns].sum()
        return float(self.correct[columns].sum() / boxes) if boxes else float("nan")

    def mean_ap(self, columns: Columns = slice(None)) -> float:
        """Mean AP over those of these categories that have boxes; nan if none has."""
        ap = self.ap[columns]
        return float(ap[~np.isnan(ap)].mean()) if (~np.isnan(ap)).any() else float("nan")

    def mean_chance(self, columns: Columns = slice(None)) -> float:
        """Mean AP of constant scores over the same categories as `mean_ap`."""
        chance = self.chance[columns][~np.isnan(self.ap[columns])]
        return float(chance.mean()) if len(chance) else float("nan")


def category_metrics(category_scores: ArrayLike, categories: ArrayLike) -> CategoryMetrics:
    """Accuracy and AP of the categories of given boxes, as the OvarNet authors compute them.

    Each box keeps the score of its best category alone, the others are set to 0; then AP per
    category (`average_precision`). This is no detection AP: nothing is localised. Equal best
    scores: the lowest column. A row of zeros names no category and is wrong.

    Args:
        category_scores: (N, C) in [0, 1].
        categories: (N,) true column, or -1 for unknown, which leaves the box out.
    """
    category_scores, categories = np.asarray(category_scores), np.asarray(categories)
    is_known = categories >= 0
    category_scores, categories = category_scores[is_known], categories[is_known]

    count = category_scores.shape[1]
    truth = (categories[:, None] == np.arange(count)).astype(np.int8)
    boxes = truth.sum(axis=0, dtype=np.int64)
    best = best_categories(category_scores)
    kept = np.where(best[:, None] == np.arange(count), category_scores, 0)
    return CategoryMetrics(
        correct=np.bincount(categories[best == categories], minlength=count),
        boxes=boxes,
        ap=average_precision(kept, truth),
        chance=boxes / max(1, len(categories)),
    )


def best_categories(category_scores: np.ndarray) -> np.ndarray:
    """(N,) column of the highest score, the lowest column of equal ones; -1 for rows of zeros."""
    if not category_scores.size:
        return np.full(len(category_scores), -1, dtype=np.int64)
    best = category_scores.argmax(axis=1)
    return np.where(category_scores.max(axis=1) > 0, best, -1)

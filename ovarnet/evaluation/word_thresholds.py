"""Thresholds of single words, chosen on annotated images: those of the highest F1.

Letters: N detections, G annotated boxes, A attribute words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torchvision.ops import box_iou

from ovarnet.structures import NEGATIVE, POSITIVE, Annotations, Detections
from ovarnet.vocabulary import Vocabulary

IOU = 0.5
"""A detection is right where it overlaps an annotated box of its category by so much."""
DIGITS = 3


@dataclass(frozen=True)
class ChosenThreshold:
    """The threshold of one word.

    Attributes:
        threshold: lowest score that counts as yes.
        f1: of the word with it, on the images it was chosen on.
        positives: how many annotated boxes have the word.
    """

    threshold: float
    f1: float
    positives: int


def category_thresholds(
    results: Iterable[tuple[Annotations, Detections]], vocabulary: Vocabulary, least_positives: int
) -> dict[str, ChosenThreshold]:
    """Choose the threshold of each category.

    Args:
        results: annotations and box-free detections of each image; the categories of both are those
            of `vocabulary`.
        vocabulary: of the dataset.
        least_positives: categories with fewer annotated boxes, or never detected, get none.
    """
    words = vocabulary.category_names
    scores: dict[str, list[tuple[float, bool]]] = {word: [] for word in words}
    positives = dict.fromkeys(words, 0)
    for image, found in results:
        for column in image.categories[~image.is_ignored].tolist():
            if column >= 0:
                positives[words[column]] += 1
        for word, score, right in matched(found, image, words):
            if _is_labelled(image, words.index(word)):
                scores[word].append((score, right))
    return {
        word: best_threshold(
            [score for score, _ in rows], [right for _, right in rows], positives[word]
        )
        for word, rows in scores.items()
        if rows and positives[word] >= max(least_positives, 1)
    }


def attribute_thresholds(
    results: Iterable[tuple[Annotations, Detections]], vocabulary: Vocabulary, least_positives: int
) -> dict[str, ChosenThreshold]:
    """Choose the threshold of each attribute, from the boxes on which it is labelled.

    Args:
        results: annotations of each image, and the scores of exactly these boxes, in their order.
        vocabulary: of the dataset.
        least_positives: attributes with fewer positive boxes, or without a negative one, get none.
    """
    labels, scores = [], []
    for image, found in results:
        kept = ~image.is_ignored
        labels.append(image.attributes[kept].numpy())
        scores.append(found.attribute_scores[kept].numpy())
    all_labels, all_scores = np.concatenate(labels), np.concatenate(scores)

    chosen = {}
    for column, word in enumerate(vocabulary.attribute_names):
        label, score = all_labels[:, column], all_scores[:, column]
        positives = int((label == POSITIVE).sum())
        if positives < max(least_positives, 1) or not (label == NEGATIVE).any():
            continue
        known = (label == POSITIVE) | (label == NEGATIVE)
        chosen[word] = best_threshold(score[known], label[known] == POSITIVE, positives)
    return chosen


def matched(
    found: Detections, image: Annotations, words: Sequence[str]
) -> list[tuple[str, float, bool]]:
    """Which detections of an image are right.

    A detection is right where its best category is that of an annotated box with IoU 0.5 or more
    that no better detection has. Those on difficult and crowd boxes are left out.

    Args:
        found: N detections.
        image: G annotated boxes.
        words: names of the categories of `image`.

    Returns:
        (category, score, is right), best first.
    """
    free = torch.ones(len(image), dtype=torch.bool)
    overlap = box_iou(found.boxes.float(), image.boxes)
    names = [words[column] if column >= 0 else None for column in image.categories.tolist()]
    rows = []
    for row in found.scores.argsort(descending=True, stable=True).tolist():
        category, score = found.best_category[row], float(found.scores[row])
        same = torch.tensor([name == category for name in names], dtype=torch.bool)
        fits = free & same & (overlap[row] >= IOU)
        if not fits.any():
            rows.append((str(category), score, False))
            continue
        best = int((overlap[row] * fits).argmax())
        free[best] = False
        if not image.is_ignored[best]:
            rows.append((str(category), score, True))
    return rows


def best_threshold(
    scores: Sequence[float] | np.ndarray, right: Sequence[bool] | np.ndarray, positives: int
) -> ChosenThreshold:
    """The threshold of the highest F1; of equal ones the highest.

    Args:
        scores: at least one.
        right: whether each is a true positive where it counts as yes.
        positives: how many there are to find, at least 1.

    Returns:
        A threshold between the lowest score that counts as yes and the next one below.
    """
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    values = np.asarray(scores, dtype=np.float64)[order]
    found = np.cumsum(np.asarray(right, dtype=bool)[order])
    f1 = 2 * found / (np.arange(1, len(values) + 1) + positives)

    # equal scores are taken together: only the last of them can be the lowest yes
    f1[:-1][values[:-1] == values[1:]] = -1.0
    last = int(f1.argmax())
    below = values[last + 1] if last + 1 < len(values) else 0.0
    threshold = round((values[last] + below) / 2, DIGITS)
    if not below < threshold <= values[last]:  # rounded over a score that is very near
        threshold = float(values[last])
    return ChosenThreshold(float(threshold), float(f1[last]), positives)


def _is_labelled(image: Annotations, column: int) -> bool:
    """Whether all objects of a category have a box in an image."""
    return image.labelled_categories is None or bool(image.labelled_categories[column])

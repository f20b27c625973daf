"""The worst mistakes of a model: wrong predictions of the highest scores.

`pairs` are the annotations and the detections of each image, columns in the order of `vocabulary`.
"Box-given" detections have one row for each annotated box, in its order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ovarnet.evaluation.matching import pairwise_iou
from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, Annotations, Detections
from ovarnet.vocabulary import Vocabulary

PER_WORD = 2
"""Most mistakes shown of one word, so that one bad word does not fill the page."""
BACKGROUND_IOU = 0.1
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Mistake:
    """One wrong prediction.

    Attributes:
        file: The image file.
        box: xyxy in pixels of the image.
        predicted: What is printed below the crop as the prediction.
        true: What is printed below the crop as the truth.
    """

    file: str
    box: Box
    predicted: str
    true: str


def wrong_categories(
    pairs: Sequence[tuple[Annotations, Detections]], vocabulary: Vocabulary, count: int
) -> list[Mistake]:
    """Box-given: wrong best categories of the highest scores."""
    names, rows = vocabulary.category_names, []
    for truth, found in pairs:
        for row in range(len(truth)):
            best, true = int(found.category_scores[row].argmax()), int(truth.categories[row])
            if true in (NO_CATEGORY, best):
                continue
            score, score_of_true = found.category_scores[row, [best, true]].tolist()
            mistake = Mistake(
                truth.file,
                _box(truth, row),
                f"{names[best]} {score:.2f}",
                f"{names[true]} ({score_of_true:.2f})",
            )
            rows.append((score, names[best], mistake))
    return _worst(rows, count)


def false_attributes(
    pairs: Sequence[tuple[Annotations, Detections]], vocabulary: Vocabulary, count: int
) -> list[Mistake]:
    """Box-given: false positives of the highest scores, with the true words of their type."""
    return _worst(
        [
            (
                score,
                word,
                Mistake(file, box, f"{word} {score:.2f}", _true_of_type(labels, vocabulary, word)),
            )
            for file, box, labels, _, word, score in _labelled(pairs, vocabulary, NEGATIVE)
        ],
        count,
    )


def missed_attributes(
    pairs: Sequence[tuple[Annotations, Detections]], vocabulary: Vocabulary, count: int
) -> list[Mistake]:
    """Box-given: positives of the lowest scores, with the best false word of their type."""
    return _worst(
        [
            (
                -score,
                word,
                Mistake(
                    file,
                    box,
                    _predicted_instead(labels, scores, vocabulary, word),
                    f"{word} ({score:.2f})",
                ),
            )
            for file, box, labels, scores, word, score in _labelled(pairs, vocabulary, POSITIVE)
        ],
        count,
    )


def background_detections(
    pairs: Sequence[tuple[Annotations, Detections]], count: int
) -> list[Mistake]:
    """Box-free: highest scores on background (IoU below 0.1 with every annotated object)."""
    rows = []
    for truth, found in pairs:
        alone = pairwise_iou(truth.boxes, found.boxes).max(axis=0, initial=0) < BACKGROUND_IOU
        for row in np.flatnonzero(alone).tolist():
            word, score = found.best_category[row] or "object", float(found.scores[row])
            mistake = Mistake(truth.file, _box(found, row), f"{word} {score:.2f}", "no object fits")
            rows.append((score, word, mistake))
    return _worst(rows, count)


def confusions(
    pairs: Sequence[tuple[Annotations, Detections]], vocabulary: Vocabulary
) -> list[tuple[str, str, int, int]]:
    """(true category, predicted one, how often, boxes of the true one), most frequent first."""
    true = torch.cat([truth.categories for truth, _ in pairs])
    said = torch.cat([found.category_scores.argmax(dim=1) for _, found in pairs])
    boxes = Counter(true.tolist())
    wrong = Counter(
        (t, s)
        for t, s in zip(true.tolist(), said.tolist(), strict=True)
        if t not in (NO_CATEGORY, s)
    )
    names = vocabulary.category_names
    return [
        (names[t], names[s], times, boxes[t])
        for (t, s), times in sorted(wrong.items(), key=lambda entry: (-entry[1], entry[0]))
    ]


def _labelled(
    pairs: Sequence[tuple[Annotations, Detections]], vocabulary: Vocabulary, label: int
) -> Iterator[tuple[str, Box, list[int], list[float], str, float]]:
    """(file, box, its labels, its scores, word, score of the word) of every attribute `label`."""
    names = vocabulary.attribute_names
    for truth, found in pairs:
        for row, column in (truth.attributes == label).nonzero().tolist():
            scores = found.attribute_scores[row].tolist()
            yield (
                truth.file,
                _box(truth, row),
                truth.attributes[row].tolist(),
                scores,
                names[column],
                scores[column],
            )


def _box(boxes: Annotations | Detections, row: int) -> Box:
    x1, y1, x2, y2 = boxes.boxes[row].tolist()
    return x1, y1, x2, y2


def _true_of_type(labels: list[int], vocabulary: Vocabulary, word: str) -> str:
    names = vocabulary.attribute_names
    return (
        ", ".join(
            names[column] for column in _of_type(vocabulary, word) if labels[column] == POSITIVE
        )
        or f"not {word}"
    )


def _predicted_instead(
    labels: list[int], scores: list[float], vocabulary: Vocabulary, word: str
) -> str:
    """The best-scoring false word of the type of `word`."""
    false = [column for column in _of_type(vocabulary, word) if labels[column] == NEGATIVE]
    best = max(false, key=scores.__getitem__, default=None)
    return (
        f"not {word}" if best is None else f"{vocabulary.attribute_names[best]} {scores[best]:.2f}"
    )


def _of_type(vocabulary: Vocabulary, word: str) -> list[int]:
    kind = vocabulary.attributes[vocabulary.attribute_index[word]].parent
    return [column for column, other in enumerate(vocabulary.attributes) if other.parent == kind]


def _worst(rows: list[tuple[float, str, Mistake]], count: int) -> list[Mistake]:
    """The `count` highest, at most `PER_WORD` of a word and one of a box."""
    kept: dict[tuple[str, Box], Mistake] = {}
    shown: Counter[str] = Counter()
    for _, word, mistake in sorted(rows, key=lambda row: -row[0]):
        place = mistake.file, mistake.box
        if shown[word] < PER_WORD and place not in kept:
            kept[place] = mistake
            shown[word] += 1
        if len(kept) == count:
            break
    return list(kept.values())

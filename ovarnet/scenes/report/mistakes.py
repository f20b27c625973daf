"""The worst mistakes of a model: what it said with the most confidence and was wrong about.

N annotated boxes of all images, C category words, A attribute words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ovarnet.evaluation.matching import pairwise_iou
from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, Annotations, Detections
from ovarnet.vocabulary import Vocabulary

PER_WORD = 2
"""Most mistakes shown of one word, so that one bad word does not fill the page; of one box there is
one at most."""
NOTHING_IOU = 0.1


@dataclass(frozen=True)
class Mistake:
    """said, true: what is printed below the crop. box: (4,) xyxy in the image `file`."""

    file: str
    box: tuple[float, float, float, float]
    said: str
    true: str


def wrong_categories(
    pairs: Sequence[tuple[Annotations, Detections]], vocabulary: Vocabulary, count: int
) -> list[Mistake]:
    """Boxes given: the highest best-category scores that are wrong."""
    rows = []
    for truth, found in pairs:
        for row in range(len(truth)):
            best, true = int(found.category_scores[row].argmax()), int(truth.categories[row])
            if true not in (NO_CATEGORY, best):
                score, of_true = (
                    float(found.category_scores[row, column]) for column in (best, true)
                )
                said, name = vocabulary.categories[best].name, vocabulary.categories[true].name
                rows.append(
                    (
                        score,
                        said,
                        Mistake(
                            truth.file,
                            tuple(truth.boxes[row].tolist()),
                            f"{said} {score:.2f}",
                            f"{name} ({of_true:.2f})",
                        ),
                    )
                )
    return _worst(rows, count)


def false_attributes(
    pairs: Sequence[tuple[Annotations, Detections]], vocabulary: Vocabulary, count: int
) -> list[Mistake]:
    """Boxes given: the highest scores of attributes that are known not to hold, with the true words
    of the same parent type.
    """
    return _worst(
        [
            (
                score,
                word,
                Mistake(file, box, f"{word} {score:.2f}", _true_of_type(labels, vocabulary, word)),
            )
            for file, box, labels, _, word, score in _judged(pairs, vocabulary, NEGATIVE)
        ],
        count,
    )


def missed_attributes(
    pairs: Sequence[tuple[Annotations, Detections]], vocabulary: Vocabulary, count: int
) -> list[Mistake]:
    """Boxes given: the lowest scores of attributes that hold, with what was said instead of the
    same parent type.
    """
    return _worst(
        [
            (
                -score,
                word,
                Mistake(
                    file,
                    box,
                    _said_instead(labels, scores, vocabulary, word),
                    f"{word} ({score:.2f})",
                ),
            )
            for file, box, labels, scores, word, score in _judged(pairs, vocabulary, POSITIVE)
        ],
        count,
    )


def found_in_nothing(pairs: Sequence[tuple[Annotations, Detections]], count: int) -> list[Mistake]:
    """Boxes found: the highest scores where no annotated object fits (IoU < 0.1 with every one)."""
    rows = []
    for truth, found in pairs:
        alone = pairwise_iou(truth.boxes, found.boxes).max(axis=0, initial=0) < NOTHING_IOU
        for row in np.flatnonzero(alone).tolist():
            word, score = found.best_category[row] or "object", float(found.scores[row])
            rows.append(
                (
                    score,
                    word,
                    Mistake(
                        truth.file,
                        tuple(found.boxes[row].tolist()),
                        f"{word} {score:.2f}",
                        "no object fits",
                    ),
                )
            )
    return _worst(rows, count)


def confusions(
    pairs: Sequence[tuple[Annotations, Detections]], vocabulary: Vocabulary
) -> list[tuple[str, str, int, int]]:
    """(true, said, how often, boxes of the true category), most frequent first."""
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


def _judged(pairs, vocabulary: Vocabulary, label: int):
    """(file, box, labels and scores of the box, word, its score) of every attribute label of that
    kind.
    """
    names = vocabulary.attribute_names
    for truth, found in pairs:
        for row, column in (truth.attributes == label).nonzero().tolist():
            scores = found.attribute_scores[row].tolist()
            yield (
                truth.file,
                tuple(truth.boxes[row].tolist()),
                truth.attributes[row].tolist(),
                scores,
                names[column],
                scores[column],
            )


def _true_of_type(labels: list[int], vocabulary: Vocabulary, word: str) -> str:
    names = vocabulary.attribute_names
    return (
        ", ".join(
            names[column] for column in _of_type(vocabulary, word) if labels[column] == POSITIVE
        )
        or f"not {word}"
    )


def _said_instead(labels: list[int], scores: list[float], vocabulary: Vocabulary, word: str) -> str:
    """The best-scoring word of the type that does not hold."""
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
    kept, shown = {}, Counter()
    for _, word, mistake in sorted(rows, key=lambda row: -row[0]):
        place = mistake.file, mistake.box
        if shown[word] < PER_WORD and place not in kept:
            kept[place] = mistake
            shown[word] += 1
        if len(kept) == count:
            break
    return list(kept.values())

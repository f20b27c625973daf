"""What every stage detects in the same images, matched to the annotated objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ovarnet.evaluation.matching import greedy_match, pairwise_iou
from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, Annotations, Detections
from ovarnet.vocabulary import Vocabulary

THRESHOLD, MINIMUM_IOU = 0.3, 0.5
"""The lowest score shown (that of `ovarnet detect`), and the lowest IoU with a matched object."""
ATTRIBUTES, EXTRAS = 4, 3
RIGHT, WRONG, OPEN = "right", "wrong", "open"
"""Verdicts on a predicted word; open: the annotations do not know."""
VERDICTS = {POSITIVE: RIGHT, NEGATIVE: WRONG}


@dataclass(frozen=True)
class PredictedWord:
    """A word with its score in [0, 1], the verdict on it, and whether it is novel."""

    word: str
    score: float
    truth: str
    is_novel: bool


@dataclass
class ShownObject:
    """One detection, or one annotated object.

    Attributes:
        number: Of the object it is matched to, from 1; 0 where it matches none.
        box: (4,) xyxy in pixels of the image.
        score: Detection score in [0, 1].
        category: The best category.
        attributes: The best attributes, best first.
    """

    number: int
    box: np.ndarray
    score: float
    category: PredictedWord
    attributes: list[PredictedWord]


@dataclass
class Column:
    """One stage on one image.

    Attributes:
        found: Detections, best first.
        missed: Numbers of the objects that no detection matches.
        left_out: How many detections are not shown.
    """

    found: list[ShownObject]
    missed: list[int] = field(default_factory=list)
    left_out: int = 0


def pick_images(
    annotations: Sequence[Annotations], vocabulary: Vocabulary, count: int
) -> list[Annotations]:
    """The first images with 2 to 4 objects, one of them of a novel category, never by result.

    Where there are fewer than `count`, the first others that hold an object follow.
    """

    def is_suitable(image: Annotations) -> bool:
        return 2 <= len(image) <= 4 and bool(
            (~vocabulary.category_seen[image.categories.clamp(min=0)]).any()
        )

    suitable = [image for image in annotations if is_suitable(image)]
    return [*suitable, *(image for image in annotations if not is_suitable(image) and len(image))][
        :count
    ]


def truth_column(truth: Annotations, vocabulary: Vocabulary) -> Column:
    """The annotations of an image, in the form of a stage."""
    found = []
    for row in range(len(truth)):
        labels = truth.attributes[row]
        attributes = [
            PredictedWord(word.name, 1.0, RIGHT, not word.seen)
            for word, label in zip(vocabulary.attributes, labels.tolist(), strict=True)
            if label == POSITIVE
        ]
        found.append(
            ShownObject(
                row + 1,
                truth.boxes[row].numpy(),
                1.0,
                _category(vocabulary, int(truth.categories[row])),
                attributes,
            )
        )
    return Column(found)


def compare(found: Detections, truth: Annotations, vocabulary: Vocabulary) -> Column:
    """Match detections to the annotated objects one to one, largest IoU first (protocol "ovad").

    Args:
        found: Detections of one image, columns in the order of `vocabulary`.
        truth: Annotations of that image.
        vocabulary: The words.

    Returns:
        The detections from `THRESHOLD` on; of those that match no object, the best `EXTRAS`,
        without attributes.
    """
    found = found[found.scores >= THRESHOLD]
    found = found[found.scores.argsort(descending=True, stable=True)]
    numbers = [0] * len(found)
    for row, match in enumerate(
        greedy_match(pairwise_iou(truth.boxes, found.boxes), MINIMUM_IOU).tolist()
    ):
        if match >= 0:
            numbers[match] = row + 1
    items = [_item(found, row, number, truth, vocabulary) for row, number in enumerate(numbers)]
    extras = [item for item in items if not item.number]
    kept = [item for item in items if item.number] + extras[:EXTRAS]
    return Column(
        kept,
        [number for number in range(1, len(truth) + 1) if number not in numbers],
        len(extras) - len(extras[:EXTRAS]),
    )


def _item(
    found: Detections, row: int, number: int, truth: Annotations, vocabulary: Vocabulary
) -> ShownObject:
    category = int(found.category_scores[row].argmax())
    said = _category(vocabulary, category, float(found.category_scores[row, category]))
    if not number:
        return ShownObject(0, found.boxes[row].numpy(), float(found.scores[row]), said, [])
    if truth.categories[number - 1] != NO_CATEGORY:
        said = replace(
            said, truth=RIGHT if category == int(truth.categories[number - 1]) else WRONG
        )
    best = found.attribute_scores[row].argsort(descending=True)[:ATTRIBUTES].tolist()
    labels = truth.attributes[number - 1].tolist()
    attributes = [
        PredictedWord(
            vocabulary.attributes[i].name,
            float(found.attribute_scores[row, i]),
            VERDICTS.get(labels[i], OPEN),
            not vocabulary.attributes[i].seen,
        )
        for i in best
    ]
    return ShownObject(number, found.boxes[row].numpy(), float(found.scores[row]), said, attributes)


def _category(vocabulary: Vocabulary, column: int, score: float = 1.0) -> PredictedWord:
    if column == NO_CATEGORY:
        return PredictedWord("object", score, OPEN, False)
    return PredictedWord(
        vocabulary.categories[column].name, score, OPEN, not vocabulary.categories[column].seen
    )

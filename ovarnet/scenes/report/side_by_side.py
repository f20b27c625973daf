"""What every stage finds in the same images, object by object: which annotated object a detection
speaks of, and which words are right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ovarnet.evaluation.matching import greedy_match, pairwise_iou
from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, Annotations, Detections
from ovarnet.vocabulary import Vocabulary

THRESHOLD, MINIMUM_IOU = 0.3, 0.5
"""The least score shown (that of `ovarnet detect`), and the least overlap with an object to speak
of it."""
ATTRIBUTES, EXTRAS = 4, 3
RIGHT, WRONG, OPEN = "right", "wrong", "open"
"""Of a word; open: the annotations do not say."""
JUDGED = {POSITIVE: RIGHT, NEGATIVE: WRONG}


@dataclass(frozen=True)
class Said:
    """A word with its probability, whether it is true, and whether it is a novel one."""

    word: str
    score: float
    truth: str
    is_novel: bool


@dataclass
class Found:
    """One detection, or one annotated object. number: of the object it speaks of, from 1; 0: of
    none. box: (4,) xyxy.
    """

    number: int
    box: np.ndarray
    score: float
    category: Said
    attributes: list[Said]


@dataclass
class Column:
    """One stage on one image: what it found, best first; numbers of the objects it missed; how many
    detections are left out.
    """

    found: list[Found]
    missed: list[int] = field(default_factory=list)
    left_out: int = 0


def pick_images(
    annotations: Sequence[Annotations], vocabulary: Vocabulary, count: int
) -> list[Annotations]:
    """The first images with 2 to 4 objects, one of them of a novel category; then, if too few, the
    first others. Never by result.
    """

    def is_telling(image: Annotations) -> bool:
        return 2 <= len(image) <= 4 and bool(
            (~vocabulary.category_seen[image.categories.clamp(min=0)]).any()
        )

    telling = [image for image in annotations if is_telling(image)]
    return [*telling, *(image for image in annotations if not is_telling(image) and len(image))][
        :count
    ]


def truth_column(truth: Annotations, vocabulary: Vocabulary) -> Column:
    """The annotations themselves."""
    found = []
    for row in range(len(truth)):
        labels = truth.attributes[row]
        attributes = [
            Said(word.name, 1.0, RIGHT, not word.seen)
            for word, label in zip(vocabulary.attributes, labels.tolist(), strict=True)
            if label == POSITIVE
        ]
        found.append(
            Found(
                row + 1,
                truth.boxes[row].numpy(),
                1.0,
                _category(vocabulary, int(truth.categories[row])),
                attributes,
            )
        )
    return Column(found)


def compare(found: Detections, truth: Annotations, vocabulary: Vocabulary) -> Column:
    """Detections from `THRESHOLD` on, matched to objects one to one, largest IoU first, as in the
    protocol "ovad".

    found: columns in the order of `vocabulary`. Of what speaks of no object the best `EXTRAS` are
    kept, without attributes.
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
) -> Found:
    category = int(found.category_scores[row].argmax())
    said = _category(vocabulary, category, float(found.category_scores[row, category]))
    if not number:
        return Found(0, found.boxes[row].numpy(), float(found.scores[row]), said, [])
    if truth.categories[number - 1] != NO_CATEGORY:
        said = replace(
            said, truth=RIGHT if category == int(truth.categories[number - 1]) else WRONG
        )
    best = found.attribute_scores[row].argsort(descending=True)[:ATTRIBUTES].tolist()
    labels = truth.attributes[number - 1].tolist()
    attributes = [
        Said(
            vocabulary.attributes[i].name,
            float(found.attribute_scores[row, i]),
            JUDGED.get(labels[i], OPEN),
            not vocabulary.attributes[i].seen,
        )
        for i in best
    ]
    return Found(number, found.boxes[row].numpy(), float(found.scores[row]), said, attributes)


def _category(vocabulary: Vocabulary, column: int, score: float = 1.0) -> Said:
    if column == NO_CATEGORY:
        return Said("object", score, OPEN, False)
    return Said(
        vocabulary.categories[column].name, score, OPEN, not vocabulary.categories[column].seen
    )

"""Accuracy and macro-F of label columns, by what the model reads.

N products.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ovarnet.catalogue.tagger import Tagger
from ovarnet.catalogue.training.labels import INPUTS, LabelDataset

BATCH = 64


@dataclass(frozen=True)
class LabelScores:
    """How well a column is predicted.

    Attributes:
        accuracy: Share of products with the right value; one that was not met in training is wrong.
        macro_f: Mean F1 of the values that occur in truth or prediction.
        majority: Accuracy of always answering the most frequent value.
        products: Number of products that have a value.
        unseen: Number of those whose value was not met in training.
    """

    accuracy: float
    macro_f: float
    majority: float
    products: int
    unseen: int


def label_scores(truth: Sequence[str], predicted: Sequence[str], known: set[str]) -> LabelScores:
    """Scores of one column.

    Args:
        truth: N values.
        predicted: N values.
        known: Values met in training.
    """
    true, guess = np.array(truth, dtype=object), np.array(predicted, dtype=object)
    scores = []
    for value in sorted({*truth, *predicted}):
        hits = ((true == value) & (guess == value)).sum()
        scores.append(2 * hits / ((true == value).sum() + (guess == value).sum()))
    _, counts = np.unique(true.astype(str), return_counts=True)
    return LabelScores(
        accuracy=float((true == guess).mean()),
        macro_f=float(np.mean(scores)),
        majority=float(counts.max() / len(true)),
        products=len(true),
        unseen=sum(value not in known for value in truth),
    )


@torch.no_grad()
def evaluate_labels(
    tagger: Tagger, data: LabelDataset, truth: Sequence[dict[str, str]]
) -> dict[tuple[str, str], LabelScores]:
    """Evaluate a tagger on products.

    Args:
        tagger: Trained.
        data: The products, with the tagger's values.
        truth: Column -> value of each product; a product without a value is left out there.

    Returns:
        (column, what was read: "both", "photo" or "title") -> scores; columns without any value are
        left out.
    """
    results = {}
    for read in INPUTS:
        predicted: dict[str, list[str]] = {column: [] for column in tagger.values}
        for start in range(0, len(data), BATCH):
            rows = range(start, min(start + BATCH, len(data)))
            batch = data.batch(rows, [read] * len(rows))
            for column, logits in tagger.model.logits(batch).items():
                values = tagger.values[column]
                predicted[column] += [values[index] for index in logits.argmax(dim=1).tolist()]
        for column, values in tagger.values.items():
            kept = [row for row, labels in enumerate(truth) if labels.get(column)]
            if kept:
                results[column, read] = label_scores(
                    [truth[row][column] for row in kept],
                    [predicted[column][row] for row in kept],
                    set(values),
                )
    return results

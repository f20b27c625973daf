"""True and false positives and negatives of every word, and the rates computed from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ovarnet.evaluation.protocols import Rule

RATES = ("recall", "tnr", "precision", "accuracy", "balanced_accuracy", "f1")


@dataclass(frozen=True)
class Counts:
    """Decisions of one pass against the labels; unlabelled entries are not counted.

    Attributes:
        true_positives: (A,) int64, or () after `summed`; the other three likewise.
        false_positives: as above.
        true_negatives: as above.
        false_negatives: as above.
    """

    true_positives: np.ndarray
    false_positives: np.ndarray
    true_negatives: np.ndarray
    false_negatives: np.ndarray

    @classmethod
    def of(cls, predicted: np.ndarray, truth: np.ndarray, column: np.ndarray, words: int) -> Counts:
        """Count per word.

        Args:
            predicted: (L,) bool, the decision of each labelled entry.
            truth: (L,) bool, its label.
            column: (L,) its word.
            words: A, how many words there are.
        """

        def count(chosen: np.ndarray) -> np.ndarray:
            return np.bincount(column[chosen], minlength=words)

        return cls(
            true_positives=count(predicted & truth),
            false_positives=count(predicted & ~truth),
            true_negatives=count(~predicted & ~truth),
            false_negatives=count(~predicted & truth),
        )

    def summed(self, words: np.ndarray) -> Counts:
        """The counts of the columns `words` as one."""
        return Counts(
            self.true_positives[words].sum(),
            self.false_positives[words].sum(),
            self.true_negatives[words].sum(),
            self.false_negatives[words].sum(),
        )

    def rates(self, rule: Rule, *, overall: bool = False) -> dict[str, np.ndarray]:
        """The rates named in `RATES`, in [0, 1], of the shape of the counts.

        nan where there is no denominator, except for these conventions of the official tools:

        * precision is 1 without a predicted positive;
        * recall is 0 without a predicted positive, under "vaw" also for a word without positives;
        * f1 is 0 where precision + recall is 0 or recall is undefined, but nan for a single word
          under "ovad".

        Args:
            rule: "vaw" or "ovad".
            overall: the counts are summed over words.
        """
        positives = self.true_positives + self.false_negatives
        negatives = self.false_positives + self.true_negatives
        predicted = self.true_positives + self.false_positives
        correct = self.true_positives + self.true_negatives

        with np.errstate(divide="ignore", invalid="ignore"):
            recall = np.where(positives > 0, self.true_positives / positives, np.nan)
            if rule == "vaw":
                recall = np.where(predicted == 0, 0.0, recall)
            tnr = np.where(negatives > 0, self.true_negatives / negatives, np.nan)
            precision = np.where(predicted > 0, self.true_positives / predicted, 1.0)
            labelled = positives + negatives
            accuracy = np.where(labelled > 0, correct / labelled, np.nan)

            # The tools compute with -1 for an undefined recall, which leaves no positive sum.
            total = precision + np.where(np.isnan(recall), -1.0, recall)
            otherwise = np.nan if rule == "ovad" and not overall else 0.0
            f1 = np.where(total > 0, 2 * precision * recall / total, otherwise)

        values = (recall, tnr, precision, accuracy, (recall + tnr) / 2, f1)
        return dict(zip(RATES, values, strict=True))

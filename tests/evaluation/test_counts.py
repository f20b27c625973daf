"""Rates of counts, by the conventions of VAW's evaluator and of OVAD's, with numbers by hand."""

from math import nan

import numpy as np
import pytest

from ovarnet.evaluation.counts import RATES, Counts

# Six words, decisions against labels:
#   a  TP 1, FP 1, TN 1, FN 1
#   b  one positive, none predicted: TN 1, FN 1
#   c  negatives only, one predicted: FP 1, TN 1
#   d  negatives only, none predicted: TN 2
#   e  positives only: TP 1, FN 1
#   f  nothing labelled
COUNTS = Counts(
    true_positives=np.array([1, 0, 0, 0, 1, 0]),
    false_positives=np.array([1, 0, 1, 0, 0, 0]),
    true_negatives=np.array([1, 1, 1, 2, 0, 0]),
    false_negatives=np.array([1, 1, 0, 0, 1, 0]),
)


def rates_of(counts, rule, column=None, **options):
    found = counts.rates(rule, **options)
    assert tuple(found) == RATES
    return [float(values if column is None else values[column]) for values in found.values()]


def test_entries_are_counted_per_word():
    predicted = np.array([True, True, False, False, True])
    truth = np.array([True, False, False, True, True])
    counts = Counts.of(predicted, truth, np.array([0, 0, 0, 0, 2]), words=3)
    assert counts.true_positives.tolist() == [1, 0, 1]
    assert counts.false_positives.tolist() == [1, 0, 0]
    assert counts.true_negatives.tolist() == [1, 0, 0]
    assert counts.false_negatives.tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("rule", "word", "recall", "tnr", "precision", "accuracy", "balanced_accuracy", "f1"),
    [
        ("vaw", "a", 1 / 2, 1 / 2, 1 / 2, 1 / 2, 1 / 2, 1 / 2),
        ("vaw", "b", 0, 1, 1, 1 / 2, 1 / 2, 0),  # nothing predicted: precision 1, recall 0
        ("vaw", "c", nan, 1 / 2, 0, 1 / 2, nan, 0),  # no positives but predicted: no recall
        ("vaw", "d", 0, 1, 1, 1, 1 / 2, 0),  # no positives, none predicted: recall 0 all the same
        ("vaw", "e", 1 / 2, nan, 1, 1 / 2, nan, 2 / 3),  # no negatives: TNR undefined
        ("vaw", "f", 0, nan, 1, nan, nan, 0),  # nothing labelled
        ("ovad", "a", 1 / 2, 1 / 2, 1 / 2, 1 / 2, 1 / 2, 1 / 2),
        ("ovad", "b", 0, 1, 1, 1 / 2, 1 / 2, 0),
        ("ovad", "c", nan, 1 / 2, 0, 1 / 2, nan, nan),
        ("ovad", "d", nan, 1, 1, 1, nan, nan),  # no recall without positives, predicted or not
        ("ovad", "e", 1 / 2, nan, 1, 1 / 2, nan, 2 / 3),
        ("ovad", "f", nan, nan, 1, nan, nan, nan),
    ],
)
def test_rates_of_one_word(rule, word, recall, tnr, precision, accuracy, balanced_accuracy, f1):
    assert rates_of(COUNTS, rule, "abcdef".index(word)) == pytest.approx(
        [recall, tnr, precision, accuracy, balanced_accuracy, f1], nan_ok=True
    )


@pytest.mark.parametrize(
    ("words", "recall", "tnr", "precision", "accuracy", "balanced_accuracy", "f1"),
    [
        ("ab", 1 / 3, 2 / 3, 1 / 2, 1 / 2, 1 / 2, 2 / 5),  # TP 1, FP 1, TN 2, FN 2
        ("ac", 1 / 2, 1 / 2, 1 / 3, 1 / 2, 1 / 2, 2 / 5),  # TP 1, FP 2, TN 2, FN 1
    ],
)
@pytest.mark.parametrize("rule", ["vaw", "ovad"])
def test_overall_rates_sum_the_counts_first(
    rule, words, recall, tnr, precision, accuracy, balanced_accuracy, f1
):
    columns = np.array(["abcdef".index(word) for word in words])
    assert rates_of(COUNTS.summed(columns), rule, overall=True) == pytest.approx(
        [recall, tnr, precision, accuracy, balanced_accuracy, f1]
    )


def test_f1_of_wrong_predictions_only():
    wrong = Counts(*(np.array([count]) for count in (0, 1, 0, 1)))
    assert rates_of(wrong, "vaw", 0)[-1] == 0
    assert rates_of(wrong, "ovad", 0)[-1] == pytest.approx(nan, nan_ok=True)
    assert rates_of(wrong, "ovad", 0, overall=True)[-1] == 0


def test_overall_rates_without_words():
    nothing = COUNTS.summed(np.zeros(0, np.int64))
    assert rates_of(nothing, "vaw", overall=True) == pytest.approx(
        [0, nan, 1, nan, nan, 0], nan_ok=True
    )
    assert rates_of(nothing, "ovad", overall=True) == pytest.approx(
        [nan, nan, 1, nan, nan, 0], nan_ok=True
    )

"""Attribute metrics from a score matrix, with numbers worked out by hand."""

from math import nan

import numpy as np
import pytest

from ovarnet.errors import InputError
from ovarnet.evaluation.attributes import attribute_metrics

# Four boxes, six words. Word by word (threshold 0.5, score must be ABOVE it):
#   a  two positives, two negatives; AP: .9 hit, .6 miss, .5 hit -> 1/2 + 1/2 * 2/3 = 5/6
#   b  one positive, one negative above it, two unknown; AP 1/2
#   c  negatives only, one predicted; AP undefined
#   d  negatives only, none predicted; AP undefined
#   e  positives only; AP 1
#   f  nothing labelled
SCORES = np.array(
    [
        [0.9, 0.4, 0.8, 0.1, 0.7, 0.9],
        [0.5, 0.3, 0.2, 0.2, 0.3, 0.9],
        [0.2, 0.9, 0.9, 0.9, 0.9, 0.9],
        [0.6, 0.9, 0.9, 0.9, 0.9, 0.9],
    ]
)
LABELS = np.array(
    [[1, 0, 0, 0, 1, 2], [1, 1, 0, 0, 1, 2], [0, 2, 2, 2, 2, 2], [0, -1, -1, -1, -1, -1]]
)
GROUPS = {"ab": [0, 1], "ac": [0, 2], "c": [2], "cd": [2, 3], "ae": [0, 4], "af": [0, 5]}


def metrics(rule):
    return attribute_metrics(SCORES, LABELS, rule=rule, threshold=0.5, groups=GROUPS, top_k=6)


def assert_rates(found, recall, tnr, precision, accuracy, balanced_accuracy, f1):
    assert list(found.values()) == pytest.approx(
        [recall, tnr, precision, accuracy, balanced_accuracy, f1], nan_ok=True
    )


@pytest.mark.parametrize("rule", ["vaw", "ovad"])
def test_average_precision_per_word_is_the_same_by_both_rules(rule):
    assert metrics(rule).ap.tolist() == pytest.approx([5 / 6, 1 / 2, nan, nan, 1, nan], nan_ok=True)


def test_counts_of_the_threshold_pass():
    counts = metrics("vaw").passes["threshold"]
    assert counts.true_positives.tolist() == [1, 0, 0, 0, 1, 0]
    assert counts.false_positives.tolist() == [1, 0, 1, 0, 0, 0]
    assert counts.true_negatives.tolist() == [1, 1, 1, 2, 0, 0]
    assert counts.false_negatives.tolist() == [1, 1, 0, 0, 1, 0]
    assert metrics("vaw").positives.tolist() == [2, 1, 0, 0, 2, 0]
    assert metrics("vaw").negatives.tolist() == [2, 1, 2, 2, 0, 0]


def test_groups_average_words_and_sum_counts():
    group = metrics("vaw").groups["ab"]
    assert_rates(group.per_word["threshold"], 1 / 4, 3 / 4, 3 / 4, 1 / 2, 1 / 2, 1 / 4)
    assert_rates(group.overall["threshold"], 1 / 3, 2 / 3, 1 / 2, 1 / 2, 1 / 2, 2 / 5)
    assert group.ap == pytest.approx((5 / 6 + 1 / 2) / 2)
    assert (group.words, group.skipped) == (2, 0)


def test_a_vaw_group_is_undefined_if_one_word_is_but_ovad_leaves_it_out():
    for rule, rates in (
        ("vaw", (nan, 1 / 2, 1 / 4, 1 / 2, nan, 1 / 4)),
        ("ovad", (1 / 2, 1 / 2, 1 / 4, 1 / 2, 1 / 2, 1 / 2)),
    ):
        assert_rates(metrics(rule).groups["ac"].per_word["threshold"], *rates)
    assert_rates(metrics("ovad").groups["c"].per_word["threshold"], nan, 1 / 2, 0, 1 / 2, nan, nan)


@pytest.mark.parametrize(
    ("group", "ap", "skipped", "chance"),
    [
        ("ac", 5 / 6, 1, 1 / 2),
        ("cd", nan, 2, nan),
        ("af", 5 / 6, 1, 1 / 2),
        ("all", (5 / 6 + 1 / 2 + 1) / 3, 3, (1 / 2 + 1 / 2 + 1) / 3),
    ],
)
def test_words_without_positives_are_left_out_of_mean_ap(group, ap, skipped, chance):
    found = metrics("vaw").groups[group]
    assert (found.ap, found.skipped, found.chance) == pytest.approx(
        (ap, skipped, chance), nan_ok=True
    )


def test_chance_is_what_constant_scores_get():
    assert metrics("vaw").chance.tolist() == pytest.approx([0.5, 0.5, 0, 0, 1, nan], nan_ok=True)
    labels = np.array([[1, 0], [0, 1], [0, 2], [2, 1], [0, 2]])
    every = attribute_metrics(np.full((5, 2), 0.5), labels).groups["all"]
    assert every.ap == pytest.approx(every.chance) == pytest.approx((1 / 4 + 2 / 3) / 2)


def test_the_threshold_is_strict():
    counts = attribute_metrics(
        np.array([[0.5], [0.51]]), np.array([[1], [1]]), threshold=0.5
    ).passes["threshold"]
    assert counts.true_positives.tolist() == [1]
    assert counts.false_negatives.tolist() == [1]


def test_scores_are_compared_with_the_threshold_in_float64():
    """0.3 as float32 is 0.30000001192..., above the float64 threshold; as float64 it is not."""
    for dtype, above in ((np.float32, 1), (np.float64, 0)):
        counts = attribute_metrics(
            np.array([[0.3]], dtype), np.array([[1]]), threshold=0.3, top_k=0
        ).passes["threshold"]
        assert counts.true_positives.tolist() == [above]


def test_scores_that_differ_in_float64_alone_do_not_tie():
    found = attribute_metrics(np.array([[1 - 1e-9], [1 - 2e-9]]), np.array([[1], [0]]))
    assert found.ap.tolist() == [1]


def test_top_k_competes_over_unlabelled_words_and_needs_a_score_above_zero():
    scores = np.array([[0.9, 0.8, 0.7, 0.6], [0.9, 0, 0, 0]])
    labels = np.array([[2, 1, 1, 0], [2, 1, 0, 2]])
    counts = attribute_metrics(scores, labels, top_k=2).passes["topk"]
    # Row 0: words 0 and 1 are selected, word 0 is unlabelled. Row 1: the same, but word 1 scores 0.
    assert counts.true_positives.tolist() == [0, 1, 0, 0]
    assert counts.false_negatives.tolist() == [0, 1, 1, 0]
    assert counts.true_negatives.tolist() == [0, 0, 1, 1]
    assert counts.false_positives.tolist() == [0, 0, 0, 0]


def test_ovad_clips_scores_which_creates_ties_and_vaw_refuses_them():
    scores, labels = np.array([[-0.1], [-0.9], [1.5], [1.2]]), np.array([[1], [0], [0], [1]])
    # Clipped to 0, 0, 1, 1: two thresholds, precision 1/2 at both; unclipped 1/2 * (1/2 + 2/3).
    assert attribute_metrics(scores, labels, rule="ovad").ap[0] == pytest.approx(1 / 2)
    with pytest.raises(InputError, match=r"probabilities in \[0, 1\]"):
        attribute_metrics(scores, labels, rule="vaw")


def test_all_unknown():
    every = attribute_metrics(np.full((3, 2), 0.9), np.full((3, 2), -1)).groups["all"]
    assert every.ap == pytest.approx(nan, nan_ok=True)
    assert every.skipped == 2


def test_no_rows_no_words_and_empty_groups():
    no_rows = attribute_metrics(np.zeros((0, 2)), np.zeros((0, 2)), rule="ovad")
    assert no_rows.groups["all"].ap == pytest.approx(nan, nan_ok=True)
    assert attribute_metrics(np.zeros((3, 0)), np.zeros((3, 0))).groups["all"].words == 0
    none = attribute_metrics(SCORES, LABELS, groups={"none": []}).groups["none"]
    assert none.ap == pytest.approx(nan, nan_ok=True)


def test_headline_numbers_of_vaw():
    scores, labels = np.array([[0.9, 0.2], [0.4, 0.6]]), np.array([[1, 1], [0, 0]])
    # Threshold pass: word 0 all right (balanced accuracy 1), word 1 all wrong (0). Top 1: row 0
    # selects word 0, row 1 word 1.
    found = attribute_metrics(scores, labels, top_k=1).headline()
    assert found == pytest.approx(
        {"mAP": (1 + 1 / 2) / 2, "mR@1": 1 / 2, "mA": 1 / 2, "F1@1": 1 / 2}
    )


@pytest.mark.parametrize("k", [0, 2])
def test_the_top_k_that_are_all_words_have_no_recall_or_f1(k):
    scores, labels = np.array([[0.9, 0.2], [0.4, 0.6]]), np.array([[1, 1], [0, 0]])
    found = attribute_metrics(scores, labels, top_k=k)
    assert found.groups["all"].per_word["topk"]["recall"] == 1  # whatever the scores
    assert found.headline() == pytest.approx(
        {"mAP": 3 / 4, f"mR@{k}": nan, "mA": 1 / 2, f"F1@{k}": nan}, nan_ok=True
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rule": "coco"}, "rule must be one of vaw, ovad"),
        ({"groups": {"far": [6]}}, "group 'far' has a column outside 0..5"),
        ({"groups": {"all": [0]}}, "cannot be called 'all'"),
        ({"threshold": "round"}, "'floor' or 'ceil'"),
        ({"top_k": 7}, "top_k is 7 but there are 6 words"),
    ],
)
def test_bad_choices_are_named(options, message):
    with pytest.raises(InputError, match=message):
        attribute_metrics(SCORES, LABELS, **options)

"""Every rule of the VAW evaluator and of OVAD's AttEvaluator, with numbers worked out by hand."""

import math

import numpy as np
import pytest

from ovarnet.errors import InputError
from ovarnet.evaluation.attributes import attribute_metrics, ovad_threshold, top_k_entries
from ovarnet.evaluation.official import official_view

# Four boxes, six words. Word by word (threshold 0.5, score must be ABOVE it):
#   a  two positives, two negatives: TP 1, FP 1, TN 1, FN 1; AP: .9 hit, .6 miss, .5 hit -> 1/2 +
# 1/2 * 2/3 = 5/6
#   b  one positive never predicted: TP 0, FP 0, TN 1, FN 1; AP 1/2 (below the negative); two
# unknown
#   c  only negatives, one predicted: TP 0, FP 1, TN 1, FN 0; AP undefined
#   d  only negatives, none predicted: TP 0, FP 0, TN 2, FN 0; AP undefined
#   e  only positives: TP 1, FP 0, TN 0, FN 1; AP 1
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
WORDS = dict(zip("abcdef", range(6), strict=True))
GROUPS = {"ab": [0, 1], "ac": [0, 2], "c": [2], "cd": [2, 3], "ae": [0, 4], "af": [0, 5]}


def metrics(rule, **options):
    return attribute_metrics(
        SCORES, LABELS, rule=rule, threshold=0.5, groups=GROUPS, top_k=6, **options
    )


def rates(rule, word):
    return {
        name: values[WORDS[word]]
        for name, values in metrics(rule).passes["threshold"].rates(rule).items()
    }


def assert_rates(found, recall, tnr, precision, balanced_accuracy, f1):
    expected = {
        "recall": recall,
        "tnr": tnr,
        "precision": precision,
        "balanced_accuracy": balanced_accuracy,
        "f1": f1,
    }
    assert {name: float(value) for name, value in found.items()} == pytest.approx(
        expected, nan_ok=True
    )


def test_average_precision_per_word():
    assert metrics("vaw").ap.tolist() == pytest.approx(
        [5 / 6, 1 / 2, math.nan, math.nan, 1, math.nan], nan_ok=True
    )


def test_counts_of_the_threshold_pass():
    counts = metrics("vaw").passes["threshold"]
    assert counts.true_positives.tolist() == [1, 0, 0, 0, 1, 0]
    assert counts.false_positives.tolist() == [1, 0, 1, 0, 0, 0]
    assert counts.true_negatives.tolist() == [1, 1, 1, 2, 0, 0]
    assert counts.false_negatives.tolist() == [1, 1, 0, 0, 1, 0]


nan = math.nan


@pytest.mark.parametrize(
    ("rule", "word", "expected"),
    [
        ("vaw", "a", (1 / 2, 1 / 2, 1 / 2, 1 / 2, 1 / 2)),
        ("vaw", "b", (0, 1, 1, 1 / 2, 0)),  # nothing predicted: precision 1, recall 0
        ("vaw", "c", (nan, 1 / 2, 0, nan, 0)),  # no positives but predicted: recall undefined
        ("vaw", "d", (0, 1, 1, 1 / 2, 0)),  # no positives, none predicted: recall 0 all the same
        ("vaw", "e", (1 / 2, nan, 1, nan, 2 / 3)),  # no negatives: TNR undefined
        ("vaw", "f", (0, nan, 1, nan, 0)),  # nothing labelled
        ("ovad", "a", (1 / 2, 1 / 2, 1 / 2, 1 / 2, 1 / 2)),
        ("ovad", "b", (0, 1, 1, 1 / 2, 0)),
        ("ovad", "c", (nan, 1 / 2, 0, nan, nan)),
        (
            "ovad",
            "d",
            (nan, 1, 1, nan, nan),
        ),  # recall undefined without positives, predicted or not
        ("ovad", "e", (1 / 2, nan, 1, nan, 2 / 3)),
        ("ovad", "f", (nan, nan, 1, nan, nan)),
    ],
)
def test_rates_of_one_word(rule, word, expected):
    assert_rates(rates(rule, word), *expected)


def test_f1_of_a_word_with_only_wrong_predictions():
    for rule, expected in (("vaw", 0), ("ovad", nan)):
        counts = attribute_metrics(
            np.array([[0.9], [0.1]]), np.array([[0], [1]]), rule=rule, threshold=0.5, top_k=1
        ).passes["threshold"]
        assert_rates(
            {name: value[0] for name, value in counts.rates(rule).items()}, 0, 0, 0, 0, expected
        )
        assert counts.rates(rule, overall=True)["f1"][0] == 0


def test_groups_average_words_and_sum_counts():
    group = metrics("vaw").groups["ab"]
    assert_rates(group.per_word["threshold"], 1 / 4, 3 / 4, 3 / 4, 1 / 2, 1 / 4)
    assert_rates(
        group.overall["threshold"], 1 / 3, 2 / 3, 1 / 2, 1 / 2, 2 / 5
    )  # TP 1, FP 1, TN 2, FN 2
    assert group.ap == pytest.approx((5 / 6 + 1 / 2) / 2)
    assert group.words == 2
    assert group.skipped == 0


def test_vaw_group_is_undefined_when_one_word_is_but_ovad_leaves_it_out():
    assert_rates(metrics("vaw").groups["ac"].per_word["threshold"], nan, 1 / 2, 1 / 4, nan, 1 / 4)
    assert_rates(
        metrics("ovad").groups["ac"].per_word["threshold"], 1 / 2, 1 / 2, 1 / 4, 1 / 2, 1 / 2
    )
    assert_rates(
        metrics("vaw").groups["ac"].overall["threshold"], 1 / 2, 1 / 2, 1 / 3, 1 / 2, 2 / 5
    )  # TP 1, FP 2, TN 2, FN 1
    assert_rates(metrics("ovad").groups["c"].per_word["threshold"], nan, 1 / 2, 0, nan, nan)


@pytest.mark.parametrize(
    ("reducer", "group", "ap", "skipped", "chance"),
    [
        ("skip", "ac", 5 / 6, 1, 1 / 2),
        ("vaw", "ac", 5 / 12, 0, 1 / 4),
        ("skip", "cd", nan, 2, nan),
        ("vaw", "cd", 0, 0, 0),
        ("skip", "af", 5 / 6, 1, 1 / 2),
        ("vaw", "af", 5 / 12, 0, 1 / 4),  # all unknown: AP 0 as well
        ("skip", "all", (5 / 6 + 1 / 2 + 1) / 3, 3, (1 / 2 + 1 / 2 + 1) / 3),
        ("vaw", "all", (5 / 6 + 1 / 2 + 1) / 6, 0, (1 / 2 + 1 / 2 + 1) / 6),
    ],
)
def test_both_reducers_for_words_without_positives(reducer, group, ap, skipped, chance):
    found = metrics("vaw", reducer=reducer).groups[group]
    assert (found.ap, found.skipped, found.chance) == pytest.approx(
        (ap, skipped, chance), nan_ok=True
    )


def test_rand_precision_is_the_share_of_positives_and_one_without_labels():
    found = metrics("ovad")
    assert found.rand_precision.tolist() == [1 / 2, 1 / 2, 0, 0, 1, 1]
    assert found.groups["all"].rand_precision == pytest.approx(
        3 / 6
    )  # over ALL words, those left out of mAP too
    assert found.groups["cd"].rand_precision == 0


def test_chance_is_what_constant_scores_get():
    constant = attribute_metrics(
        np.full((5, 2), 0.5), np.array([[1, 0], [0, 1], [0, 2], [2, 1], [0, 2]])
    )
    assert (
        constant.groups["all"].ap
        == pytest.approx(constant.groups["all"].chance)
        == pytest.approx((1 / 4 + 2 / 3) / 2)
    )


def test_threshold_is_strict():
    counts = attribute_metrics(
        np.array([[0.5], [0.51]]), np.array([[1], [1]]), threshold=0.5
    ).passes["threshold"]
    assert counts.true_positives.tolist() == [1]
    assert counts.false_negatives.tolist() == [1]


def test_top_k_competes_over_unlabelled_words_and_needs_a_score_above_zero():
    scores = np.array([[0.9, 0.8, 0.7, 0.6], [0.9, 0, 0, 0]])
    labels = np.array([[2, 1, 1, 0], [2, 1, 0, 2]])
    counts = attribute_metrics(scores, labels, top_k=2).passes["topk"]
    # Row 0: words 0 and 1 are picked, word 0 is unlabelled. Row 1: words 0 and 1 are picked, but
    # word 1 has score exactly 0.
    assert counts.true_positives.tolist() == [0, 1, 0, 0]
    assert counts.false_negatives.tolist() == [0, 1, 1, 0]
    assert counts.true_negatives.tolist() == [0, 0, 1, 1]
    assert counts.false_positives.tolist() == [0, 0, 0, 0]


def test_ties_at_rank_k_go_to_the_lower_column():
    scores = np.array(
        [[0.5, 0.9, 0.5, 0.5], [0.5, 0.5, 0.5, 0.5], [0.1, 0.2, 0.3, 0.4], [0.7, 0.2, 0.7, 0.2]]
    )
    assert top_k_entries(scores, 2).astype(int).tolist() == [
        [1, 1, 0, 0],
        [1, 1, 0, 0],
        [0, 0, 1, 1],
        [1, 0, 1, 0],
    ]
    assert top_k_entries(scores, 3).astype(int).tolist() == [
        [1, 1, 1, 0],
        [1, 1, 1, 0],
        [0, 1, 1, 1],
        [1, 1, 1, 0],
    ]
    assert top_k_entries(scores, 0).all()  # OVAD's slice [-0:] is everything
    many = np.random.default_rng(0).random((9000, 7)).round(1)  # several blocks of rows
    picked = top_k_entries(many, 3)
    assert (picked == (np.argsort(np.argsort(-many, axis=1, kind="stable"), axis=1) < 3)).all()


def test_top_k_of_each_rule():
    scores, labels = np.full((4, 20), 0.5), np.zeros((4, 20), int)
    labels[:, :2], labels[0, 2:5] = 1, 1
    assert attribute_metrics(scores, labels).top_k == 15
    assert attribute_metrics(scores[:, :6], labels[:, :6]).top_k == 6  # fewer words than 15
    assert (
        attribute_metrics(scores, labels, rule="ovad").top_k == 2
    )  # 11 positives in 4 rows: 2.75, down
    assert (
        attribute_metrics(scores[:, 2:], labels[:, 2:], rule="ovad").top_k == 0
    )  # 0.75, down: every word
    with pytest.raises(InputError, match="top_k is 21 but there are 20 words"):
        attribute_metrics(scores, labels, top_k=21)


@pytest.mark.parametrize(
    ("scores", "floor", "ceil"),
    [([0.2, 0.3], 0.2, 0.3), ([0.3, 0.3], 0.3, 0.3), ([0.0, 0.01], 0.0, 0.1), ([], 0.0, 0.0)],
)
def test_ovad_thresholds_round_the_mean_score(scores, floor, ceil):
    assert ovad_threshold(np.array(scores), "floor") == floor
    assert ovad_threshold(np.array(scores), "ceil") == ceil


def test_ovad_uses_its_own_threshold_unless_told():
    scores, labels = np.array([[0.25], [0.35]]), np.array([[1], [0]])
    assert attribute_metrics(scores, labels, rule="ovad").threshold == 0.3
    assert attribute_metrics(scores, labels, rule="ovad", threshold="ceil").threshold == 0.3
    assert attribute_metrics(scores, labels, rule="ovad", threshold=0.7).threshold == 0.7
    assert attribute_metrics(scores, labels, rule="vaw").threshold == 0.5


def test_ovad_clips_scores_which_creates_ties_and_vaw_refuses_them():
    scores, labels = np.array([[-0.1], [-0.9], [1.5], [1.2]]), np.array([[1], [0], [0], [1]])
    # Clipped to 0, 0, 1, 1: two thresholds, precision 1/2 at both. Unclipped it would be 1/2 * 1/2
    # + 1/2 * 2/3.
    assert attribute_metrics(scores, labels, rule="ovad").ap[0] == pytest.approx(1 / 2)
    with pytest.raises(InputError, match=r"probabilities in \[0, 1\]"):
        attribute_metrics(scores, labels, rule="vaw")


def test_all_unknown():
    found = attribute_metrics(np.full((3, 2), 0.9), np.full((3, 2), -1))
    assert math.isnan(found.groups["all"].ap)
    assert found.groups["all"].skipped == 2
    assert (
        attribute_metrics(np.full((3, 2), 0.9), np.full((3, 2), 2), reducer="vaw").groups["all"].ap
        == 0
    )


def test_no_rows_no_words_and_empty_groups():
    assert math.isnan(
        attribute_metrics(np.zeros((0, 2)), np.zeros((0, 2)), rule="ovad").groups["all"].ap
    )
    assert attribute_metrics(np.zeros((3, 0)), np.zeros((3, 0))).groups["all"].words == 0
    assert math.isnan(attribute_metrics(SCORES, LABELS, groups={"none": []}).groups["none"].ap)


def test_headline_numbers_of_vaw():
    scores, labels = np.array([[0.9, 0.2], [0.4, 0.6]]), np.array([[1, 1], [0, 0]])
    # Threshold pass: word 0 all right (balanced accuracy 1); word 1 all wrong (0). Top-1: row 0 ->
    # word 0, row 1 -> word 1.
    found = attribute_metrics(scores, labels, top_k=1).headline()
    assert found == pytest.approx(
        {"mAP": (1 + 1 / 2) / 2, "mR@1": 1 / 2, "mA": 1 / 2, "F1@1": 1 / 2}
    )


def test_official_view_of_vaw_has_sentinels_and_fractions():
    view = official_view(metrics("vaw"))
    assert view["classes"]["ap"].tolist() == pytest.approx([5 / 6, 1 / 2, 0, 0, 1, 0])
    assert view["classes"]["threshold"]["recall"].tolist() == [1 / 2, 0, -1, 0, 1 / 2, 0]
    assert view["classes"]["threshold"]["balanced_accuracy"].tolist() == [
        1 / 2,
        1 / 2,
        -1,
        1 / 2,
        -1,
        -1,
    ]
    assert view["groups"]["ac"]["ap"] == pytest.approx(5 / 12)
    assert_rates(view["groups"]["ac"]["per_class"]["threshold"], -1, 1 / 2, 1 / 4, -1, 1 / 4)
    assert_rates(view["groups"]["c"]["overall"]["threshold"], -1, 1 / 2, 0, -1, 0)


def test_official_view_of_ovad_is_times_hundred_with_its_own_sentinels():
    view = official_view(metrics("ovad", reducer="vaw"))  # the reducer asked plays no part
    assert view["classes"]["ap"].tolist() == pytest.approx(
        [500 / 6, 50, nan, nan, 100, nan], nan_ok=True
    )
    assert view["classes"]["threshold"]["recall"].tolist() == [50, 0, -100, -100, 50, -100]
    assert view["classes"]["threshold"]["f1"].tolist() == pytest.approx(
        [50, 0, nan, nan, 200 / 3, nan], nan_ok=True
    )
    assert view["groups"]["ac"]["ap"] == pytest.approx(500 / 6)
    assert view["groups"]["all"]["rand_precision"] == pytest.approx(50)
    assert_rates(view["groups"]["ac"]["per_class"]["threshold"], 50, 50, 25, 50, 50)
    assert_rates(view["groups"]["c"]["per_class"]["threshold"], nan, 50, 0, nan, -100)
    assert_rates(view["groups"]["c"]["overall"]["threshold"], -100, 50, 0, -100, 0)
    assert math.isnan(view["groups"]["cd"]["ap"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rule": "coco"}, "rule must be one of vaw, ovad"),
        ({"reducer": "nan"}, "reducer must be one of skip, vaw"),
        ({"groups": {"far": [6]}}, "group 'far' has a column outside 0..5"),
        ({"groups": {"all": [0]}}, "cannot be called 'all'"),
        ({"threshold": "round"}, "'floor' or 'ceil'"),
    ],
)
def test_bad_choices_are_named(options, message):
    with pytest.raises(InputError, match=message):
        attribute_metrics(SCORES, LABELS, **options)

"""Numbers and sentinels as the official VAW and OVAD tools print them.

The expected values were computed by hand from the published code; on 300 random cases with groups
and words of every undefined kind, all 184,604 numbers equalled those of the tools themselves.
"""

from math import nan

import numpy as np
import pytest

from ovarnet.evaluation.attributes import attribute_metrics
from ovarnet.evaluation.official import official_scores, official_text, official_word_table
from ovarnet.vocabulary import Word

# Five words in two families; see the labels for what is undefined:
#   a  two positives, two negatives: TP 1, FP 1, TN 1, FN 1 at threshold 0.5; AP 5/6
#   b  one positive, one negative, not predicted; AP 1/2
#   c  negatives only, one predicted
#   d  nothing labelled
#   e  positives only: TP 1, FN 1; AP 1
WORDS = [
    Word("a", parent="hue", family="color", group="head"),
    Word("b", parent="hue", family="color", group="head", synonyms=("b", "bb")),
    Word("c", parent="size", family="size", group="tail"),
    Word("d", parent="size", family="size", group="tail"),
    Word("e", parent="shape", family="shape", group="head"),
]
SCORES = np.array(
    [
        [0.9, 0.4, 0.8, 0.1, 0.7],
        [0.5, 0.3, 0.2, 0.2, 0.3],
        [0.2, 0.9, 0.9, 0.9, 0.9],
        [0.6, 0.9, 0.9, 0.9, 0.9],
    ]
)
LABELS = np.array([[1, 0, 0, 2, 1], [1, 1, 0, 2, 1], [0, 2, 2, 2, 2], [0, 2, 2, 2, 2]])


def scores_of(rule, **options):
    metrics = attribute_metrics(SCORES, LABELS, rule=rule, threshold=0.5, top_k=2)
    return official_scores(metrics, WORDS, **options)


def group_of(scores, name, kind="per_class", key="threshold"):
    return scores["groups"][name][kind][key]


def test_vaw_prints_fractions_and_one_undefined_word_makes_a_group_minus_one():
    scores = scores_of("vaw")
    assert list(scores["groups"]) == ["all", "head", "medium", "tail", "color", "size", "shape"]
    assert group_of(scores, "color") == pytest.approx(
        {"ap": (5 / 6 + 1 / 2) / 2, "f1": 1 / 4, "precision": 3 / 4, "recall": 1 / 4, "bacc": 1 / 2}
    )
    # c has no recall, d has neither; both have AP 0.
    assert group_of(scores, "size") == pytest.approx(
        {"ap": 0, "f1": 0, "precision": 1 / 2, "recall": -1, "bacc": -1}
    )
    assert group_of(scores, "all")["ap"] == pytest.approx((5 / 6 + 1 / 2 + 1) / 5)
    assert group_of(scores, "size", "overall") == {
        "f1": 0,
        "precision": 0,
        "recall": -1,
        "tnr": 1 / 2,
    }


def test_a_vaw_group_without_words_is_nan_and_its_sums_have_their_own_values():
    scores = scores_of("vaw")
    assert group_of(scores, "medium") == pytest.approx(
        dict.fromkeys(("ap", "f1", "precision", "recall", "bacc"), nan), nan_ok=True
    )
    assert group_of(scores, "medium", "overall") == {
        "f1": 0,
        "precision": 1,
        "recall": 0,
        "tnr": -1,
    }


def test_ovad_prints_percent_and_leaves_undefined_words_out():
    scores = scores_of("ovad")
    assert group_of(scores, "color") == pytest.approx(
        {
            "ap": 100 * (5 / 6 + 1 / 2) / 2,
            "f1": 25,
            "precision": 75,
            "recall": 25,
            "bacc": 50,
            "rand_precision": 50,
        }
    )
    # No word of the group has recall, balanced accuracy or F1; chance of d, unlabelled, is 1.
    assert group_of(scores, "size") == pytest.approx(
        {
            "ap": nan,
            "f1": -100,
            "precision": 50,
            "recall": -100,
            "bacc": -100,
            "rand_precision": 50,
        },
        nan_ok=True,
    )
    assert group_of(scores, "tail", "overall") == pytest.approx(
        {"f1": 0, "precision": 0, "recall": -100, "tnr": 50, "rand_precision": 0}
    )


def test_an_ovad_group_without_words_is_nan_but_for_f1():
    scores = scores_of("ovad")
    assert group_of(scores, "medium") == pytest.approx(
        {
            "ap": nan,
            "f1": -100,
            "precision": nan,
            "recall": nan,
            "bacc": nan,
            "rand_precision": nan,
        },
        nan_ok=True,
    )
    assert group_of(scores, "medium", "overall") == {
        "f1": 0,
        "precision": 100,
        "recall": -100,
        "tnr": -100,
        "rand_precision": 100,
    }


def test_ap_of_the_top_k_pass_is_the_placeholder_that_the_tools_average():
    assert group_of(scores_of("vaw"), "all", key="topk")["ap"] == -1
    assert group_of(scores_of("ovad"), "all", key="topk")["ap"] == -100
    assert group_of(scores_of("ovad"), "medium", key="topk")["ap"] == pytest.approx(
        nan, nan_ok=True
    )


def test_ovad_of_given_boxes_has_groups_by_synonyms():
    scores = scores_of("ovad", synonyms=True)
    assert list(scores["groups"])[-2:] == ["single", "multiple"]
    assert group_of(scores, "multiple")["ap"] == 50


def test_words_are_fractions_with_minus_one_by_both_rules():
    for rule, c, d in (
        ("vaw", {"ap": 0, "recall_topk": -1}, {"ap": 0, "recall_topk": 0}),
        ("ovad", {"ap": nan, "recall_topk": -1}, {"ap": nan, "recall_topk": -1}),
    ):
        words = {word["name"]: word for word in scores_of(rule)["words"]}
        expected = {
            "a": {"ap": 5 / 6, "recall_topk": 1, "bacc": 1 / 2, "acc": 1 / 2, "n_pos": 2},
            "c": {**c, "bacc": -1, "acc": 1 / 2, "n_pos": 0, "n_neg": 2},
            "d": {**d, "bacc": -1, "acc": -1, "n_pos": 0, "n_neg": 0},
            "e": {"ap": 1, "bacc": -1, "acc": 1 / 2, "n_pos": 2, "n_neg": 0},
        }
        for name, numbers in expected.items():
            assert {key: words[name][key] for key in numbers} == pytest.approx(numbers, nan_ok=True)
        assert ("rand_precision" in words["a"]) == (rule == "ovad")
    assert [word["rand_precision"] for word in scores_of("ovad")["words"]] == [0.5, 0.5, 0, 1, 1]


def test_the_text_has_the_lines_of_the_official_log():
    lines = official_text(scores_of("vaw")).splitlines()
    start = lines.index("----------COLOR----------")
    assert lines[start : start + 10] == [
        "----------COLOR----------",
        "mAP: 0.6667",
        "Per-class (threshold 0.5):",
        "- recall: 0.2500",
        "- precision: 0.7500",
        "- f1: 0.2500",
        "- bacc: 0.5000",
        "Per-class (top 2):",
        "- recall: 1.0000",
        "- precision: 1.0000",
    ]
    assert "- tnr" not in "\n".join(lines)
    ovad = official_text(scores_of("ovad")).splitlines()
    assert "Overall (threshold 0.50):" in ovad
    assert ovad[ovad.index("----------SIZE----------") + 3] == "- recall: -100.0000"


def test_the_table_of_words():
    header, first, *_, last = official_word_table(scores_of("ovad")).splitlines()
    assert [cell.strip() for cell in header.split("|")] == [
        "Name",
        "AP",
        "Recall@K",
        "B.Accuracy",
        "Accuracy",
        "N_Pos",
        "N_Neg",
        "rand Pre.",
    ]
    assert [cell.strip() for cell in first.split("|")] == [
        "a",
        "0.8333",
        "1.0000",
        "0.5000",
        "0.5000",
        "2",
        "2",
        "0.5000",
    ]
    assert [cell.strip() for cell in last.split("|")][3] == "-1.0000"
    assert "rand" not in official_word_table(scores_of("vaw"))

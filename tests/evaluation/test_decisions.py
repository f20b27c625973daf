"""Thresholds and the top K."""

import numpy as np
import pytest

from ovarnet.errors import InputError
from ovarnet.evaluation.decisions import (
    ovad_threshold,
    resolve_threshold,
    resolve_top_k,
    top_k_entries,
)


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


def test_k_of_zero_or_of_all_words_selects_every_word():
    for k in (0, 4):  # OVAD's slice [-0:] is everything
        assert top_k_entries(np.random.default_rng(0).random((3, 4)), k).all()


def test_the_top_k_of_several_blocks_of_rows():
    scores = np.random.default_rng(0).random((9000, 7)).round(1)
    ranks = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1)
    assert (top_k_entries(scores, 3) == (ranks < 3)).all()


def test_scores_that_differ_in_float64_alone_do_not_tie():
    assert top_k_entries(np.array([[1 - 2e-9, 1 - 1e-9, 0.5]]), 1).tolist() == [
        [False, True, False]
    ]


@pytest.mark.parametrize(
    ("scores", "floor", "ceil"),
    [
        ([0.2, 0.3], 0.2, 0.3),
        ([0.3, 0.3], 0.3, 0.3),
        ([0.0, 0.01], 0.0, 0.1),
        ([], 0.0, 0.0),
        ([-0.05], 0.0, 0.0),  # int() in OVAD's tool rounds towards zero
    ],
)
def test_ovad_thresholds_round_the_mean_score(scores, floor, ceil):
    assert ovad_threshold(np.array(scores), "floor") == floor
    assert ovad_threshold(np.array(scores), "ceil") == ceil


def test_the_threshold_of_each_rule():
    scores = np.array([[0.25], [0.35]])
    assert resolve_threshold(None, "vaw", scores) == 0.5
    assert resolve_threshold(None, "ovad", scores) == 0.3
    assert resolve_threshold("ceil", "ovad", scores) == 0.3
    assert resolve_threshold(0.7, "ovad", scores) == 0.7
    with pytest.raises(InputError, match="'floor' or 'ceil'; got 'round'"):
        resolve_threshold("round", "ovad", scores)


def test_the_top_k_of_each_rule():
    labels = np.zeros((4, 20), int)
    labels[:, :2], labels[0, 2:5] = 1, 1
    assert resolve_top_k(None, "vaw", labels) == 15
    assert resolve_top_k(None, "vaw", labels[:, :6]) == 6  # fewer words than 15
    assert resolve_top_k(None, "ovad", labels) == 2  # 11 positives in 4 rows: 2.75, down
    assert resolve_top_k(None, "ovad", labels[:, 2:]) == 0  # 0.75, down: every word
    assert resolve_top_k(None, "ovad", labels[:0]) == 0
    assert resolve_top_k(7, "ovad", labels) == 7
    for k in (21, -1):
        with pytest.raises(InputError, match=f"top_k is {k} but there are 20 words"):
            resolve_top_k(k, "vaw", labels)

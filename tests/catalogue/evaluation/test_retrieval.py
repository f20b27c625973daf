"""Ranks with ties and several right answers, recall, and chance against enumeration."""

from itertools import permutations

import numpy as np
import pytest

from ovarnet.catalogue.evaluation.retrieval import chance_of_hit, rank_all, rank_pools


def test_rank_is_one_plus_the_negatives_that_score_as_high():
    scores = np.array([[0.9, 0.5, 0.9, 0.1], [0.2, 0.3, 0.4, 0.5]])
    groups = np.array(["a", "b", "c", "d"])
    found = rank_all(scores, np.array(["a", "c"]), groups)
    # query a: a tie counts against it; query c: one is better
    assert found.ranks.tolist() == [2, 2]
    assert (found.recall(1), found.recall(2)) == (0.0, 1.0)
    assert found.mean_reciprocal_rank == 0.5


def test_the_best_of_a_group_counts_and_its_members_are_not_wrong():
    scores = np.array([[0.3, 0.8, 0.7, 0.9]])
    groups = np.array(["a", "a", "a", "b"])
    found = rank_all(scores, np.array(["a"]), groups)
    assert found.ranks.tolist() == [2]
    assert found.positives.tolist() == [3]


def test_a_query_needs_a_right_answer():
    with pytest.raises(AssertionError, match="no right answer"):
        rank_all(np.zeros((1, 2)), np.array(["x"]), np.array(["a", "b"]))


def test_perfect_and_constant_scores():
    groups = np.arange(200)
    perfect = rank_all(np.eye(200), groups, groups)
    assert [perfect.recall(k) for k in (1, 5, 10)] == [1, 1, 1]
    constant = rank_all(np.zeros((200, 200)), groups, groups)
    assert constant.ranks.tolist() == [200] * 200
    assert constant.chance(1) == pytest.approx(1 / 200)


def test_pools_have_the_right_answer_first():
    scores = np.array([[0.5, 0.4, 0.5, 0.6], [0.9, 0.1, 0.2, 0.3]])
    found = rank_pools(scores)
    assert found.ranks.tolist() == [3, 1]
    assert found.recall(4) == 1.0
    assert found.chance(1) == pytest.approx(0.25)
    assert found.median_rank == 2


@pytest.mark.parametrize(("candidates", "positives", "cut"), [(5, 1, 1), (5, 2, 2), (4, 3, 2)])
def test_chance_is_that_of_all_orders(candidates, positives, cut):
    orders = list(permutations(range(candidates)))
    hits = sum(min(order[:cut]) < positives for order in orders)
    assert chance_of_hit(candidates, positives, cut) == pytest.approx(hits / len(orders))

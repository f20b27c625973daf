"""Categories of given boxes, by hand."""

import math

import numpy as np
import pytest

from ovarnet.evaluation.box_given import best_categories, category_metrics

# Arg-max: 0, 1 (tie with 2: the lower), 0, 2, 1; true: 0, 1, 1, 2, unlabelled.
SCORES = np.array(
    [
        [0.9, 0.3, 0.0, 0.1],
        [0.1, 0.6, 0.6, 0.1],
        [0.8, 0.7, 0.0, 0.1],
        [0.1, 0.2, 0.3, 0.1],
        [0.0, 0.9, 0.0, 0.1],
    ]
)
CATEGORIES = np.array([0, 1, 1, 2, -1])


def test_accuracy_over_groups_of_true_categories():
    found = category_metrics(SCORES, CATEGORIES)
    assert found.correct.tolist() == [1, 1, 1, 0]
    assert found.boxes.tolist() == [1, 2, 1, 0]
    assert found.accuracy() == 3 / 4  # the unlabelled box is left out
    assert found.accuracy(np.array([0, 1])) == 2 / 3
    assert math.isnan(found.accuracy(np.array([3])))


def test_ap_after_all_but_the_arg_max_is_set_to_zero():
    found = category_metrics(SCORES, CATEGORIES)
    # 0: kept .9 (hit), .8 (wrong) -> 1. 1: kept .6 (hit), the other positive ties with two
    # negatives at 0 -> 1/2 + 1/2 * 2/4.
    # 2: kept .3 (hit) -> 1; box 1's equal .6 went to category 1. 3: no box.
    assert found.ap.tolist() == pytest.approx([1, 3 / 4, 1, math.nan], nan_ok=True)
    assert found.mean_ap() == pytest.approx(11 / 12)
    assert found.mean_ap(np.array([1, 3])) == 3 / 4
    assert found.chance.tolist() == [1 / 4, 2 / 4, 1 / 4, 0]
    assert found.mean_chance() == pytest.approx(1 / 3)
    assert math.isnan(found.mean_ap(np.array([3])))
    assert math.isnan(found.mean_chance(np.array([3])))


def test_a_row_of_zeros_names_no_category():
    scores = np.array([[0.0, 0.0], [0.0, 0.4], [0.4, 0.0]])
    assert best_categories(scores).tolist() == [-1, 1, 0]
    found = category_metrics(scores, np.array([0, 1, 0]))
    assert found.correct.tolist() == [1, 1]  # the first box is no hit of the first category
    assert found.accuracy() == 2 / 3
    # The row of zeros ties with the negative at 0: 1/2 * 1 + 1/2 * 2/3.
    assert found.ap.tolist() == pytest.approx([5 / 6, 1])


def test_equal_scores_go_to_the_lowest_column():
    assert best_categories(np.array([[0.3, 0.7, 0.7], [0.2, 0.2, 0.2]])).tolist() == [1, 0]
    assert best_categories(np.zeros((2, 0))).tolist() == [-1, -1]
    assert best_categories(np.zeros((0, 2))).tolist() == []


def test_no_boxes_and_no_categories():
    assert math.isnan(category_metrics(np.zeros((0, 2)), np.zeros(0, int)).accuracy())
    assert math.isnan(category_metrics(np.zeros((3, 0)), np.full(3, -1)).mean_ap())

"""Losses of step I and of mentioned words, by hand."""

import math

import pytest
import torch

from ovarnet.losses.federated import (
    attribute_loss,
    category_loss,
    frequency_weights,
    mentioned_loss,
    sample_categories,
)
from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, UNKNOWN

LN2 = math.log(2)


def bce(logit: float, target: int) -> float:
    return math.log1p(math.exp(-logit if target else logit))


def test_frequency_weights_have_mean_one_and_follow_the_power():
    weights = frequency_weights(torch.tensor([1, 16, 81]))
    rarity = [1, 1 / 2, 1 / 3]  # f^-0.25
    assert weights.tolist() == pytest.approx([3 * r / sum(rarity) for r in rarity])
    assert weights.mean().item() == pytest.approx(1)


def test_a_word_without_a_count_weighs_one_and_does_not_move_the_others():
    assert frequency_weights(torch.tensor([1, 0, 16])).tolist() == pytest.approx([4 / 3, 1, 2 / 3])
    assert frequency_weights(torch.tensor([0, 0])).tolist() == [1, 1]
    assert frequency_weights(torch.tensor([5])).tolist() == [1]
    assert frequency_weights(torch.tensor([])).shape == (0,)
    assert frequency_weights(torch.tensor([1, 16]), power=0).tolist() == [1, 1]


def test_attribute_loss_is_two_separate_means():
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]])
    labels = torch.tensor(
        [[POSITIVE, NEGATIVE, UNKNOWN], [UNKNOWN, POSITIVE, UNKNOWN]], dtype=torch.int8
    )
    weights = torch.tensor([2.0, 1.0, 0.5])
    known = (2 * bce(2, 1) + bce(-1, 0) + bce(3, 1)) / 3
    unknown = (bce(0.5, 0) + bce(0, 0) + bce(-2, 0)) / 3
    assert attribute_loss(logits, labels, weights, 0.2).item() == pytest.approx(
        known + 0.2 * unknown, rel=1e-6
    )
    assert attribute_loss(logits, labels, weights, 0.0).item() == pytest.approx(known, rel=1e-6)


def test_all_unknown_rows_are_weak_negatives_or_nothing():
    logits = torch.zeros(2, 3, requires_grad=True)
    labels = torch.full((2, 3), UNKNOWN, dtype=torch.int8)
    assert attribute_loss(logits, labels, torch.ones(3), 0.2).item() == pytest.approx(0.2 * LN2)
    nothing = attribute_loss(logits, labels, torch.ones(3), 0.0)
    nothing.backward()
    assert nothing.item() == 0
    assert not logits.grad.any()


def test_no_positives_and_one_word():
    labels = torch.tensor([[NEGATIVE], [NEGATIVE]], dtype=torch.int8)
    loss = attribute_loss(torch.tensor([[0.0], [1.0]]), labels, torch.ones(1))
    assert loss.item() == pytest.approx((LN2 + bce(1, 0)) / 2)


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (0, 0)])
def test_empty_batches_cost_nothing(shape):
    logits = torch.zeros(shape, requires_grad=True)
    loss = attribute_loss(logits, torch.zeros(shape, dtype=torch.int8), torch.ones(shape[1]))
    loss = loss + category_loss(logits, torch.full(shape[:1], NO_CATEGORY), torch.ones(shape[1]))
    loss.backward()
    assert loss.item() == 0


def test_category_loss_takes_every_other_word_as_negative():
    logits = torch.tensor([[1.0, -2.0], [0.5, 0.0]])
    weights = torch.tensor([1.5, 0.5])
    expected = (1.5 * bce(1, 1) + 0.5 * bce(-2, 0) + 1.5 * bce(0.5, 0) + 0.5 * bce(0, 1)) / 4
    assert category_loss(logits, torch.tensor([0, 1]), weights).item() == pytest.approx(
        expected, rel=1e-6
    )


def test_rows_without_a_category_and_columns_not_sampled_are_left_out():
    logits = torch.tensor([[1.0, -2.0, 4.0], [9.0, 9.0, 9.0]])
    loss = category_loss(
        logits,
        torch.tensor([0, NO_CATEGORY]),
        torch.ones(3),
        columns=torch.tensor([True, True, False]),
    )
    assert loss.item() == pytest.approx((bce(1, 1) + bce(-2, 0)) / 2, rel=1e-6)


def test_one_category_word():
    assert category_loss(
        torch.tensor([[0.0]]), torch.tensor([0]), torch.ones(1)
    ).item() == pytest.approx(LN2)


def test_sampled_columns_are_the_batch_s_own_and_drawn_ones():
    counts = torch.tensor([10, 0, 5, 5, 5])
    sampled = sample_categories(
        torch.tensor([4, NO_CATEGORY, 4]), counts, 3, torch.Generator().manual_seed(0)
    )
    assert sampled.sum() == 3
    assert sampled[4]
    assert not sampled[1]
    assert sample_categories(torch.tensor([4]), counts, 99).tolist() == [
        True,
        False,
        True,
        True,
        True,
    ]
    assert sample_categories(torch.tensor([0, 2, 3]), counts, 1).tolist() == [
        True,
        False,
        True,
        True,
        False,
    ]


def test_frequent_negatives_are_drawn_more_often():
    draw = torch.Generator().manual_seed(1)
    counts = torch.tensor([1, 900, 100])  # square roots 30 : 10
    drawn = (
        sum(sample_categories(torch.tensor([0]), counts, 2, draw).float() for _ in range(2000))
        / 2000
    )
    assert drawn[1].item() == pytest.approx(0.75, abs=0.04)


def test_mentioned_words_are_positive_and_the_others_weak_negatives():
    logits = torch.tensor([[0.0, 0.0, math.log(3)]], requires_grad=True)
    loss = mentioned_loss(logits, torch.tensor([[True, False, False]]), unmentioned_weight=0.5)
    assert loss.item() == pytest.approx((math.log(2) + 0.5 * math.log(2) + 0.5 * math.log(4)) / 3)
    loss.backward()
    assert logits.grad[0].tolist() == pytest.approx([-0.5 / 3, 0.25 / 3, 0.375 / 3])


@pytest.mark.parametrize("shape", [(0, 3), (2, 0)])
def test_nothing_mentioned_costs_nothing(shape):
    logits = torch.randn(shape, requires_grad=True)
    loss = mentioned_loss(logits, torch.zeros(shape, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()

"""RPN, box and background terms, by hand."""

import math

import pytest
import torch

from ovarnet.losses.detection import background_loss, box_loss, objectness_loss


def test_objectness_loss():
    assert objectness_loss(torch.zeros(4), torch.tensor([1, 0, 0, 1])).item() == pytest.approx(
        math.log(2)
    )


def test_box_loss_is_divided_by_the_count():
    """|d| = 1 > beta: 1 - beta / 2 for each of four deltas."""
    assert box_loss(torch.ones(1, 4), torch.zeros(1, 4), 8).item() == pytest.approx(
        4 * (1 - 1 / 18) / 8
    )


def test_background_loss_weights_words():
    """softplus(0) = log 2 in both columns, weights 1 and 3."""
    loss = background_loss(torch.zeros(2, 2), torch.tensor([1.0, 3.0]), torch.ones(2).bool())
    assert loss.item() == pytest.approx(2 * math.log(2))


def test_background_loss_counts_the_categories_that_are_known_to_be_wrong():
    negative = torch.tensor([[True, False], [False, False]])
    loss = background_loss(torch.zeros(2, 2), torch.tensor([1.0, 3.0]), negative)
    assert loss.item() == pytest.approx(math.log(2))


def test_nothing_supervised_is_zero_with_a_gradient():
    logits, deltas = torch.zeros(0, 3, requires_grad=True), torch.zeros(0, 4, requires_grad=True)
    total = (
        objectness_loss(logits[:, 0], torch.zeros(0))
        + box_loss(deltas, torch.zeros(0, 4), 0)
        + background_loss(logits, torch.ones(3), torch.ones(0).bool())
    )
    total.backward()
    assert total.item() == 0
    assert logits.grad.shape == (0, 3)


def test_small_box_errors_are_squared():
    """|d| = 0.06 < beta = 1/9: d^2 / (2 beta) for each of four deltas, over 2 anchors."""
    deltas = torch.full((1, 4), 0.06)
    expected = 4 * 0.06**2 * 9 / 2 / 2
    assert box_loss(deltas, torch.zeros(1, 4), 2).item() == pytest.approx(expected, rel=1e-5)


def test_objectness_by_hand():
    """-log sigmoid(2) and -log(1 - sigmoid(1))."""
    loss = objectness_loss(torch.tensor([2.0, 1.0]), torch.tensor([1, 0]))
    assert loss.item() == pytest.approx((math.log1p(math.exp(-2)) + math.log1p(math.exp(1))) / 2)

"""Multi-instance NCE, by hand."""

import math

import pytest
import torch

from ovarnet.losses.mil_nce import mil_nce


def test_mass_on_all_positives():
    logits = torch.tensor([[math.log(1), math.log(2), math.log(5)]])
    loss = mil_nce(logits, torch.tensor([[True, True, False]]))
    assert loss.item() == pytest.approx(-math.log(3 / 8))


def test_rows_without_a_positive_do_not_count():
    logits = torch.tensor([[0.0, 0.0], [50.0, -50.0], [0.0, math.log(3)]])
    positives = torch.tensor([[True, False], [False, False], [False, True]])
    assert mil_nce(logits, positives).item() == pytest.approx(
        (math.log(2) + math.log(4 / 3)) / 2, rel=1e-6
    )


def test_unknown_texts_compete_less_and_positives_are_never_divided():
    logits = torch.tensor([[math.log(4), math.log(32), math.log(3)]])
    positives, unknown = torch.tensor([[True, False, False]]), torch.tensor([[True, True, False]])
    loss = mil_nce(logits, positives, unknown, unknown_divisor=5)
    assert loss.item() == pytest.approx(-math.log(4 / (4 + 2 + 3)))


def test_nothing_right_and_nothing_at_all_cost_nothing():
    for logits in (torch.ones(2, 3), torch.ones(0, 3), torch.ones(2, 0)):
        logits.requires_grad_()
        loss = mil_nce(logits, torch.zeros(logits.shape, dtype=torch.bool))
        loss.backward()
        assert loss.item() == 0
        assert not logits.grad.any()


def test_one_text_is_always_right():
    logits = torch.tensor([[7.0]], requires_grad=True)
    loss = mil_nce(logits, torch.tensor([[True]]))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad.item() == 0


def test_gradient_pulls_towards_positives_in_proportion():
    logits = torch.zeros(1, 3, requires_grad=True)
    mil_nce(logits, torch.tensor([[True, True, False]])).backward()
    assert logits.grad[0].tolist() == pytest.approx([1 / 3 - 1 / 2, 1 / 3 - 1 / 2, 1 / 3])

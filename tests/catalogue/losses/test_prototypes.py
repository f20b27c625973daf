"""Prototype supervision with three concepts, by hand."""

import math

import pytest
import torch

from ovarnet.catalogue.losses.prototypes import prototype_loss

TWO = torch.tensor(2.0)
PROTOTYPES = torch.eye(3)
USABLE = torch.tensor([True, True, True])


def test_three_concepts_by_hand():
    vectors = torch.tensor([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
    mentioned = torch.tensor([[True, True, False], [False, False, True]])
    loss = prototype_loss(vectors, PROTOTYPES, mentioned, USABLE, TWO)
    first = [-math.log(math.exp(c) / (math.exp(c) + 1)) for c in (1.2, 1.6)]
    second = -math.log(math.exp(2) / (math.exp(2) + 2))
    assert loss.item() == pytest.approx((sum(first) / 2 + second) / 2)


def test_concepts_without_a_prototype_and_products_without_concepts_are_left_out():
    vectors = torch.tensor([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
    mentioned = torch.tensor([[True, True, False], [False, False, True]])
    usable = torch.tensor([True, False, False])
    # nothing is left to compare with
    loss = prototype_loss(vectors, PROTOTYPES, mentioned, usable, TWO)
    assert loss.item() == 0
    usable = torch.tensor([True, False, True])
    loss = prototype_loss(vectors[:1], PROTOTYPES, mentioned[:1], usable, TWO)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-1.2)), abs=1e-6)


def test_without_any_concept_the_loss_is_zero_with_a_graph():
    vectors = torch.ones(2, 3, requires_grad=True)
    none = torch.zeros(2, 3, dtype=torch.bool)
    loss = prototype_loss(vectors, PROTOTYPES, none, USABLE, TWO)
    loss.backward()
    assert loss.item() == 0
    assert vectors.grad is not None


def test_gradients_are_finite():
    vectors = torch.eye(3, requires_grad=True)
    mentioned = torch.tensor([[True, True, True], [True, False, False], [False, False, False]])
    prototype_loss(vectors, PROTOTYPES, mentioned, USABLE, TWO).backward()
    assert vectors.grad is not None
    assert vectors.grad.isfinite().all()

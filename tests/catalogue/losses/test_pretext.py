"""Losses and accuracies of the pre-training tasks, by hand."""

import math

import pytest
import torch

from ovarnet.catalogue.losses.pretext import accuracy, match_loss, patch_loss, word_loss


def test_words():
    logits = torch.tensor([[0.0, 0.0], [0.0, math.log(3)]])
    expected = (math.log(2) + math.log(4 / 3)) / 2
    assert word_loss(logits, torch.tensor([0, 1])).item() == pytest.approx(expected)
    nothing = torch.zeros(0, 2, requires_grad=True)
    word_loss(nothing, torch.zeros(0, dtype=torch.int64)).backward()
    assert nothing.grad.shape == (0, 2)


def test_patches_are_distributions_and_equal_ones_cost_nothing():
    clean = torch.tensor([[math.log(3), 0.0]])
    expected = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert patch_loss(torch.zeros(1, 2), clean).item() == pytest.approx(expected)
    assert patch_loss(clean + 5, clean).item() == pytest.approx(0, abs=1e-6)


def test_match_of_pairs_and_of_groups():
    """The right one of three at odds 3, the wrong ones at odds 1."""
    logits = torch.tensor([[0.0, math.log(3)], [0.0, 0.0], [0.0, 0.0]])
    matched = torch.tensor([1, 0, 0])
    right, wrong = math.log(4 / 3), math.log(2)
    assert match_loss(logits, matched, 2).item() == pytest.approx((right + 2 * wrong) / 3)
    pairs = (right + wrong) / 2
    assert match_loss(logits, matched, 3).item() == pytest.approx(pairs + math.log(5 / 3))


def test_accuracy_leaves_out_what_has_no_target():
    logits = torch.tensor([[2.0, 1.0], [1.0, 2.0], [1.0, 2.0]])
    assert accuracy(logits, torch.tensor([0, 0, -100])).item() == 0.5
    assert accuracy(logits[:0], torch.zeros(0, dtype=torch.int64)).item() == 0

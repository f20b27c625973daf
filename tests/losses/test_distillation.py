"""Losses between student and teacher, by hand."""

import math

import pytest
import torch

from ovarnet.losses.distillation import cosine_loss, kl_divergence


def test_kl_goes_from_teacher_to_student_and_is_a_mean_over_regions():
    teacher = torch.tensor([[math.log(3), 0.0], [0.0, 0.0]])  # 3/4, 1/4; 1/2, 1/2
    student = torch.zeros(2, 2)
    expected = (0.75 * math.log(1.5) + 0.25 * math.log(0.5)) / 2
    assert kl_divergence(student, teacher).item() == pytest.approx(expected, rel=1e-6)


def test_kl_gradient_is_student_minus_teacher_and_leaves_the_teacher_alone():
    teacher = torch.tensor([[math.log(3), 0.0]], requires_grad=True)
    student = torch.zeros(1, 2, requires_grad=True)
    kl_divergence(student, teacher).backward()
    assert student.grad[0].tolist() == pytest.approx([0.5 - 0.75, 0.5 - 0.25])
    assert teacher.grad is None


def test_a_constant_added_to_all_logits_changes_nothing():
    logits = torch.randn(4, 5)
    assert kl_divergence(logits + 3, logits).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("shape", [(0, 3), (2, 0)])
def test_empty_kl(shape):
    student = torch.zeros(shape, requires_grad=True)
    loss = kl_divergence(student, torch.zeros(shape))
    loss.backward()
    assert loss.item() == 0


def test_one_word_has_nothing_to_learn():
    assert kl_divergence(torch.tensor([[4.0]]), torch.tensor([[-1.0]])).item() == 0


def test_cosine_loss():
    features = torch.tensor([[2.0, 0.0], [0.0, 3.0]], requires_grad=True)
    reference = torch.tensor([[5.0, 0.0], [0.0, -1.0]])
    assert cosine_loss(features, reference).item() == pytest.approx((0 + 2) / 2)
    assert cosine_loss(features[:0], reference[:0]).item() == 0

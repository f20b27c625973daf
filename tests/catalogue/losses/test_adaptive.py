"""The closed form of the adaptive weights against hand-made numbers and against a search."""

import pytest
import torch

from ovarnet.catalogue.losses.adaptive import adaptive_weights, weigh_losses


@pytest.mark.parametrize(
    ("losses", "weights"),
    [
        ((6.9, 0.69, 0.02), (0.428, 0.286, 0.286)),
        ((1.2, 0.3, 0.01), (0.357, 0.323, 0.320)),
        ((2.0, 2.0, 2.0), (1 / 3, 1 / 3, 1 / 3)),
    ],
)
def test_weights_of_three_losses(losses, weights):
    assert adaptive_weights(torch.tensor(losses)).tolist() == pytest.approx(weights, abs=6e-4)


def test_three_weights_stay_between_two_and_three_sevenths_and_seven_are_nearly_equal():
    drawn = torch.randn(1000, 3).abs() * 20
    found = torch.stack([adaptive_weights(row) for row in drawn])
    assert found.min() >= 2 / 7 - 1e-6
    assert found.max() <= 3 / 7 + 1e-6
    seven = adaptive_weights(torch.tensor([50.0, 0, 0, 0, 0, 0, 0]))
    assert seven.tolist() == pytest.approx([0.1628, *[0.13953] * 6], abs=1e-3)


@pytest.mark.parametrize("losses", [(6.9, 0.69, 0.02), (1.2, 0.3, 0.01), (2.0, 1.0, 3.0)])
def test_no_other_weights_have_a_lower_objective(losses):
    losses = torch.tensor(losses, dtype=torch.float64)
    convexity = len(losses) - losses.softmax(dim=0) ** 2
    best = adaptive_weights(losses)
    generator = torch.Generator().manual_seed(0)
    others = torch.rand(20_000, 3, dtype=torch.float64, generator=generator)
    others /= others.sum(dim=1, keepdim=True)
    objective = 0.5 * (convexity * others**2).sum(dim=1)
    assert objective.min() >= 0.5 * (convexity * best**2).sum() - 1e-12


def test_the_weights_pass_no_gradient_and_follow_their_losses():
    losses = torch.tensor([3.0, 1.0], requires_grad=True)
    named = weigh_losses({"words": losses[0], "match": losses[1]}, "adaptive")
    sum(named.values()).backward()
    expected = adaptive_weights(torch.tensor([3.0, 1.0]))
    assert torch.equal(losses.grad, expected)
    assert torch.equal(adaptive_weights(torch.tensor([1.0, 3.0])), expected.flip(0))


def test_fixed_weights():
    losses = {"words": torch.tensor(3.0), "match": torch.tensor(1.0)}
    assert weigh_losses(losses, "sum") == losses
    assert weigh_losses(losses, "equal") == {
        "words": torch.tensor(1.5),
        "match": torch.tensor(0.5),
    }

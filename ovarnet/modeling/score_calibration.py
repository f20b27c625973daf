"""Detection scores as probabilities.

Objectness and category probability each say something about a box; how often a box with a certain
score is right is measured on validation images, and two numbers make the score say it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

CLOSEST = 1e-6
"""Scores are kept this far from 0 and 1, where the logit is infinite."""


class ScoreCalibration(NamedTuple):
    """P(right) = sigmoid(scale * logit(score) + bias); (1, 0) leaves scores as they are.

    The scale is above 0, so that the order of the scores and every average precision stay the same.
    """

    scale: float = 1.0
    bias: float = 0.0

    def __call__(self, scores: Tensor) -> Tensor:
        """Scores (N,) in [0, 1] -> calibrated scores (N,) in [0, 1]."""
        if self == ScoreCalibration():
            return scores
        logits = scores.double().clamp(CLOSEST, 1 - CLOSEST).logit()
        return (self.scale * logits + self.bias).sigmoid().to(scores.dtype)

    def inverse(self, probability: float) -> float:
        """The score in [0, 1] that becomes this probability in [0, 1]; scale must be above 0."""
        logit = torch.tensor(probability, dtype=torch.float64).logit()
        return ((logit - self.bias) / self.scale).sigmoid().item()


def fit_score_calibration(scores: Tensor, is_right: Tensor) -> ScoreCalibration:
    """Fit both numbers by logistic regression (Platt scaling).

    Args:
        scores: (N,) in [0, 1], of boxes found in images that nothing was trained on.
        is_right: (N,) bool; at least one of each.

    Returns:
        The fit; Newton's method on the mean log-likelihood, from (1, 0).
    """
    logits = scores.double().clamp(CLOSEST, 1 - CLOSEST).logit()
    inputs = torch.stack([logits, torch.ones_like(logits)], dim=1)
    targets, weights = is_right.double(), torch.tensor([1.0, 0.0], dtype=torch.float64)
    for _ in range(50):
        found = (inputs @ weights).sigmoid()
        gradient = inputs.T @ (found - targets)
        hessian = inputs.T @ (inputs * (found * (1 - found))[:, None])
        step = torch.linalg.solve(hessian + 1e-6 * torch.eye(2, dtype=torch.float64), gradient)
        weights = weights - step
        if step.abs().max() < 1e-9:
            break
    return ScoreCalibration(*weights.tolist())

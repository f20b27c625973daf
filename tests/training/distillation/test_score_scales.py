"""Scales and biases of the scores."""

import math

import pytest
import torch

from ovarnet.training.distillation.score_scales import MAX_LOGIT_SCALE, ScoreScales

CALIBRATION = torch.tensor([[2.0, 0.5], [3.0, -1.0]])


def test_scales_start_from_the_calibration_and_stay_between_1_and_100():
    scales = ScoreScales(CALIBRATION)
    assert scales(torch.tensor([0.5]), "category").item() == pytest.approx(2 * 0.5 + 0.5)
    assert scales(torch.tensor([0.5]), "attribute").item() == pytest.approx(3 * 0.5 - 1)
    scales.log_scale.data = torch.tensor([-0.1, 4.7])
    scales.bound()
    assert scales.log_scale.tolist() == pytest.approx([0, math.log(100)])
    assert math.log(100) == MAX_LOGIT_SCALE
    scales.log_scale.data = torch.tensor([0.1, 4.5])
    scales.bound()
    assert scales.log_scale.tolist() == pytest.approx([0.1, 4.5])

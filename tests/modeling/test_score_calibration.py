"""Scores become probabilities without changing their order."""

import pytest
import torch

from ovarnet.modeling.score_calibration import ScoreCalibration, fit_score_calibration


def test_identity_returns_the_scores_themselves():
    scores = torch.tensor([0.0, 0.3, 1.0])
    assert ScoreCalibration()(scores) is scores


def test_by_hand():
    """logit(0.8) is log 4; twice that minus log 4 is log 4 again."""
    four = torch.tensor(4.0).log().item()
    scores = torch.tensor([0.8, 0.5])
    torch.testing.assert_close(ScoreCalibration(2.0, -four)(scores), torch.tensor([0.8, 0.2]))


def test_inverse_gives_the_score_back():
    calibration = ScoreCalibration(1.97, -2.3)
    for score in (0.0, 0.2, 0.614, 1.0):
        probability = calibration(torch.tensor([score], dtype=torch.float64)).item()
        assert calibration.inverse(probability) == pytest.approx(score, abs=2e-6)
    assert (calibration.inverse(0.0), calibration.inverse(1.0)) == (0, 1)
    assert ScoreCalibration().inverse(0.3) == pytest.approx(0.3)


def test_order_stays_and_ends_are_finite():
    scores = torch.tensor([0.0, 0.1, 0.5, 0.99, 1.0])
    calibrated = ScoreCalibration(1.7, -0.4)(scores)
    assert calibrated.dtype == torch.float32
    assert (calibrated.diff() > 0).all()
    assert ((calibrated >= 0) & (calibrated <= 1)).all()


def test_fit_finds_the_numbers_that_made_the_labels():
    """Of the boxes of each score the share that P(right) states is right, exactly."""
    truth = ScoreCalibration(1.5, -0.7)
    levels = torch.linspace(0.05, 0.95, 19)
    scores, right = [], []
    for level, share in zip(levels, truth(levels), strict=True):
        count = round(float(share) * 10_000)
        scores.append(level.repeat(10_000))
        right.append(torch.arange(10_000) < count)
    found = fit_score_calibration(torch.cat(scores), torch.cat(right))
    assert found == pytest.approx(truth, abs=1e-3)

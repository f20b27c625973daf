"""The Kalman filter of a box, one step worked out by hand."""

import numpy as np
import pytest

from ovarnet.video.motion import BoxMotion

BOX = np.array([0.0, 0.0, 40.0, 20.0])


def test_a_box_at_rest_stays():
    motion = BoxMotion(BOX)
    for _ in range(3):
        assert motion.predict().tolist() == BOX.tolist()
        motion.correct(BOX)
    assert motion.velocity.tolist() == [0, 0, 0, 0]


def test_one_step():
    """Width 40: variance (2 / 20 * 40)² = 16, of the velocity (10 / 160 * 40)² = 6.25. After the
    prediction 16 + 6.25 + (40 / 20)² = 26.25, covariance 6.25; the measurement adds (40 / 20)²."""
    motion = BoxMotion(BOX)
    motion.predict()
    motion.correct(BOX + np.array([10, 0, 10, 0]))
    gain, velocity = 26.25 / 30.25, 6.25 / 30.25
    assert motion.box == pytest.approx([10 * gain, 0, 40 + 10 * gain, 20])
    assert motion.velocity == pytest.approx([10 * velocity, 0, 0, 0])
    expected = 10 * (gain + velocity)
    assert motion.predict() == pytest.approx([expected, 0, 40 + expected, 20])


def test_a_steady_motion_is_learned_also_of_the_size():
    motion, step = BoxMotion(BOX), np.array([5.0, -2.0, 9.0, -2.0])
    for number in range(1, 41):
        motion.predict()
        motion.correct(BOX + number * step)
    assert motion.predict() == pytest.approx(BOX + 41 * step, abs=1.5)


def test_a_box_of_no_size_has_finite_numbers():
    motion = BoxMotion(np.array([5.0, 5.0, 5.0, 5.0]))
    for _ in range(3):
        motion.predict()
        motion.correct(np.array([5.0, 5.0, 5.0, 5.0]))
    assert np.isfinite(motion.predict()).all()

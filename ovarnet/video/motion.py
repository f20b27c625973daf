"""Where a box will be in the next frame: a Kalman filter of constant velocity.

Position and size are filtered as centre x, centre y, width and height. Their noise is independent,
so the filter is four filters of two states, value and velocity, computed at once.
"""

from __future__ import annotations

import numpy as np

POSITION_NOISE, VELOCITY_NOISE = 1 / 20, 1 / 160
"""Standard deviations as shares of the box's width or height, those of SORT and ByteTrack."""


class BoxMotion:
    """The motion of one box.

    Args:
        box: (4,) xyxy in pixels where the object was first seen, at rest as far as is known.
    """

    def __init__(self, box: np.ndarray):
        self.value = _centre_and_size(box)
        self.velocity = np.zeros(4)  # per frame

        # (4,) entries of the four 2 x 2 covariances; the velocity is not known at first
        self.value_variance = (2 * POSITION_NOISE * self._scale) ** 2
        self.covariance = np.zeros(4)
        self.velocity_variance = (10 * VELOCITY_NOISE * self._scale) ** 2

    @property
    def box(self) -> np.ndarray:
        """(4,) xyxy in pixels."""
        centre, half = self.value[:2], np.maximum(self.value[2:], 1e-6) / 2
        return np.concatenate([centre - half, centre + half])

    def predict(self) -> np.ndarray:
        """Move on by one frame; returns the expected box (4,) xyxy."""
        self.value = self.value + self.velocity
        self.value_variance = (
            self.value_variance
            + 2 * self.covariance
            + self.velocity_variance
            + (POSITION_NOISE * self._scale) ** 2
        )
        self.covariance = self.covariance + self.velocity_variance
        self.velocity_variance = self.velocity_variance + (VELOCITY_NOISE * self._scale) ** 2
        return self.box

    def correct(self, box: np.ndarray) -> None:
        """Take in the box (4,) xyxy that was found in the frame predicted last."""
        error = _centre_and_size(box) - self.value
        total = self.value_variance + (POSITION_NOISE * self._scale) ** 2
        gain, velocity_gain = self.value_variance / total, self.covariance / total

        self.value = self.value + gain * error
        self.velocity = self.velocity + velocity_gain * error
        self.velocity_variance = self.velocity_variance - velocity_gain * self.covariance
        self.covariance = (1 - gain) * self.covariance
        self.value_variance = (1 - gain) * self.value_variance

    @property
    def _scale(self) -> np.ndarray:
        """(4,) width, height, width, height, to which all noise is relative."""
        return np.tile(np.maximum(self.value[2:], 1.0), 2)


def _centre_and_size(box: np.ndarray) -> np.ndarray:
    box = np.asarray(box, dtype=np.float64)
    return np.concatenate([(box[:2] + box[2:]) / 2, box[2:] - box[:2]])

"""A model that finds one bright spot, with scores worked out by hand, and its videos."""

import numpy as np
import torch
from fake_model import FakeModel

from ovarnet.modeling.predictor import Predictor
from ovarnet.modeling.region_model import RegionEmbeddings

SIDE, STEP = 16, 4


class SpotModel(FakeModel):
    """One box of objectness 1 around the pixels brighter than 150, none where there are none; a
    spot of grey value v has the embedding (v - 200) / 10, so word number w has the logit
    (v - 200) / 10 - w."""

    def _one(self, image, boxes):
        bright = image[0] > 150 / 255
        if not bright.any():
            return RegionEmbeddings(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, 1))
        rows, columns = bright.any(1).nonzero().flatten(), bright.any(0).nonzero().flatten()
        box = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        value = image[0][bright].mean() * 255
        return RegionEmbeddings(
            torch.tensor([box], dtype=torch.float32),
            torch.ones(1),
            ((value - 200) / 10).reshape(1, 1),
        )


def spot_predictor() -> Predictor:
    return Predictor(SpotModel())


def spot_frames(values, height=48, width=96) -> list[np.ndarray]:
    """A square of SIDE pixels that moves right by STEP; None is a frame without it."""
    frames = []
    for index, value in enumerate(values):
        frame = np.full((height, width, 3), 40, np.uint8)
        if value is not None:
            frame[8 : 8 + SIDE, 8 + STEP * index : 8 + STEP * index + SIDE] = value
        frames.append(frame)
    return frames

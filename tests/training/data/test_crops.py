"""Crops for training."""

import torch

from ovarnet.training.data.crops import mirror


def test_mirrored_boxes_by_hand():
    assert mirror(torch.tensor([[2.0, 3, 10, 9]]), 40).tolist() == [[30, 3, 38, 9]]

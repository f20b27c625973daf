"""Images for a graph of one size."""

import torch

from ovarnet.onnx.fixed_resize import FixedResize


def test_images_fill_one_side_and_are_padded_below_and_on_the_right():
    resize = FixedResize(64, 96)
    assert resize.resized(64, 96) == (64, 96)
    assert resize.resized(128, 96) == (64, 48)
    assert resize.resized(10, 300) == (3, 96)
    assert resize.resized(1, 5000) == (1, 96)
    batch, _ = resize([torch.ones(3, 32, 40), torch.ones(3, 32, 48)])
    assert batch.image_sizes == [(64, 80), (64, 96)]
    assert batch.tensors.shape == (2, 3, 64, 96)
    assert batch.tensors[0, 0, 0].tolist() == [1.0] * 80 + [0.0] * 16
    assert resize.same_size([torch.ones(3, 5, 9), torch.ones(3, 70, 9)]) == [[0, 1]]

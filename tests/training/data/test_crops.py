"""Crops for training, and boxes of flipped images."""

import cv2
import numpy as np
import pytest
import torch

from ovarnet.training.data.crops import BoxCropper, hflip_boxes
from ovarnet.training.data.image_cache import ImageCache


@pytest.fixture
def cropper(small_clip):
    return BoxCropper(small_clip, ImageCache(1))


@pytest.fixture
def half_white(tmp_path):
    """64 x 128 pixels, black at the left and white at the right."""
    picture = np.zeros((64, 128, 3), np.uint8)
    picture[:, 64:] = 255
    cv2.imwrite(str(tmp_path / "x.png"), picture)
    return str(tmp_path / "x.png")


def test_fixed_crops_are_normalised_and_of_the_tower_s_size(cropper, half_white, small_clip):
    crops = cropper.fixed(half_white, torch.tensor([[8.0, 8, 56, 56], [72, 8, 120, 56]]))
    assert crops.shape == (2, 3, 64, 64)
    for crop, value in zip(crops, (0.0, 1.0), strict=True):
        colour = small_clip.normalise(torch.full((1, 3, 1, 1), value))[0]
        assert torch.allclose(crop, colour.expand(3, 64, 64), atol=1e-5)


def test_random_crops_are_those_of_the_generator(cropper, half_white):
    box = torch.tensor([[30.0, 10, 100, 60]])
    first, again, other = (
        cropper.random(half_white, box, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_without_augmentation_random_crops_are_the_fixed_ones(cropper, half_white, small_clip):
    box = torch.tensor([[30.0, 10, 100, 60]])
    fixed = BoxCropper(small_clip, cropper.images, augment=False)
    for seed in range(4):
        drawn = fixed.random(half_white, box, torch.Generator().manual_seed(seed), keep=0.1)
        assert torch.equal(drawn, cropper.fixed(half_white, box))


def test_no_crops_have_the_shape_of_crops(cropper):
    assert cropper.concatenate([]).shape == (0, 3, 64, 64)
    assert cropper.concatenate([torch.ones(2, 3, 64, 64), torch.ones(1, 3, 64, 64)]).sum() == 36864


def test_flipped_boxes_by_hand():
    assert hflip_boxes(torch.tensor([[2.0, 3, 10, 9]]), 40).tolist() == [[30, 3, 38, 9]]
    assert hflip_boxes(torch.zeros(0, 4), 40).shape == (0, 4)

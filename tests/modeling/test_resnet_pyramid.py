"""Maps of the pyramid on a CLIP ResNet."""

import pytest
import torch

from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.clip.feature_maps import feature_maps
from ovarnet.modeling.resnet_pyramid import ResnetPyramid


@pytest.fixture(scope="module")
def clip():
    torch.manual_seed(0)
    return load_clip("ovarnet-scenes", None, random_weights=True)


def test_pyramid_maps_of_a_non_square_image(clip):
    maps = ResnetPyramid(clip, channels=16)(torch.zeros(2, 3, 64, 128))
    assert {name: tuple(level.shape) for name, level in maps.items()} == {
        "c2": (2, 16, 16, 32),
        "c3": (2, 16, 8, 16),
        "c4": (2, 16, 4, 8),
        "c5": (2, 16, 2, 4),
    }


def test_a_pyramid_may_start_at_stride_eight(clip):
    maps = ResnetPyramid(clip, 16, finest="c3", coarser=True)(torch.rand(1, 3, 64, 96))
    assert {name: tuple(part.shape[2:]) for name, part in maps.items()} == {
        "c3": (8, 12),
        "c4": (4, 6),
        "c5": (2, 3),
        "pool": (1, 2),
    }


@torch.no_grad()
def test_the_trunk_is_a_copy_without_the_attention_pool(clip):
    pyramid, pixels = ResnetPyramid(clip, channels=16).eval(), torch.randn(1, 3, 64, 96)
    assert pyramid.trunk.attnpool is None
    assert clip.model.visual.attnpool is not None
    for name, level in feature_maps(clip.model.visual, pixels).items():
        assert torch.equal(pyramid.trunk_maps(pixels)[name], level)
    pyramid.trunk.conv1.weight.zero_()
    assert clip.model.visual.conv1.weight.abs().sum() > 0


def test_strides_name_the_maps_that_forward_returns(clip):
    pyramid = ResnetPyramid(clip, 16, finest="c3", coarser=True)
    assert pyramid.strides == {"c3": 8, "c4": 16, "c5": 32}
    assert pyramid.all_strides == {"c3": 8, "c4": 16, "c5": 32, "pool": 64}
    assert pyramid(torch.zeros(1, 3, 64, 64)).keys() == pyramid.all_strides.keys()
    assert pyramid.out_channels == 16

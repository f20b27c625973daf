"""Constant "same" padding: exactly timm's where the stride divides the sides."""

import pytest
import torch
from timm.layers.conv2d_same import Conv2dSame

from ovarnet.modeling.clip.concept_tower import EfficientNetTrunk
from ovarnet.onnx.same_padding import DividingConv, with_constant_padding


def conv(kernel, stride, dilation=1):
    torch.manual_seed(0)
    return Conv2dSame(2, 3, kernel, stride=stride, dilation=dilation)


@pytest.mark.parametrize("kernel", [1, 2, 3, 5, (3, 5)])
@pytest.mark.parametrize("stride", [1, 2, (1, 2)])
@pytest.mark.parametrize("dilation", [1, 2])
@torch.no_grad()
def test_equals_timm_where_the_stride_divides_the_sides(kernel, stride, dilation):
    own = conv(kernel, stride, dilation)
    for height, width in ((2, 6), (8, 2), (352, 448)):
        pixels = torch.rand(1, 2, height, width)
        assert torch.equal(DividingConv(own)(pixels), own(pixels))


def test_an_odd_pixel_goes_after():
    assert DividingConv(conv((3, 5), 2)).padding == (1, 2, 0, 1)
    assert DividingConv(conv(1, 2)).padding == (0, 0, 0, 0)


@torch.no_grad()
def test_an_odd_side_is_another_matter():
    """Why stages on cells of a region keep timm's own."""
    own, cells = conv(3, 2), torch.rand(1, 2, 7, 7)
    assert own(cells).shape == (1, 3, 4, 4)
    assert DividingConv(own)(cells).shape == (1, 3, 3, 3)


@torch.no_grad()
def test_the_trunk_of_photos_gives_the_same_maps():
    trunk = EfficientNetTrunk("tf_efficientnet_lite0").eval()
    images = [torch.rand(1, 3, *size) for size in ((32, 96), (160, 64), (224, 352))]
    expected = [trunk(image) for image in images]
    with_constant_padding(trunk)
    assert sum(isinstance(part, DividingConv) for part in trunk.modules()) == 5
    for image, maps in zip(images, expected, strict=True):
        for name, found in trunk(image).items():
            assert torch.equal(found, maps[name]), name

import numpy as np
import pytest
import torch

from ovarnet.errors import InputError
from ovarnet.io.pixel_arrays import array_to_rgb, tensor_to_rgb

COLORS = np.array(
    [
        [[255, 0, 0], [0, 128, 0], [0, 0, 51], [1, 2, 3], [4, 5, 6]],
        [[9, 9, 9], [8, 7, 6], [10, 20, 30], [0, 0, 0], [255, 255, 255]],
    ]
)
PIXELS = COLORS.astype(np.uint8)
"""2 rows, 5 columns."""


def test_uint8_rgb_is_passed_on_and_made_contiguous():
    assert array_to_rgb(PIXELS) is PIXELS
    flipped = array_to_rgb(PIXELS[:, ::-1])
    assert flipped.flags.c_contiguous
    assert (flipped == PIXELS[:, ::-1]).all()


def test_grey_of_two_or_three_dimensions():
    grey = PIXELS[..., 0]
    expected = grey[..., None].repeat(3, axis=2)
    for given in (grey, grey[..., None], grey[None]):
        assert (array_to_rgb(given) == expected).all()
        assert (tensor_to_rgb(torch.from_numpy(given)) == expected).all()


def test_transparent_pixels_are_white():
    alpha = np.array([255, 0, 51, *[255] * 7], np.uint8).reshape(2, 5, 1)
    rgba = np.concatenate([PIXELS, alpha], axis=2)
    expected = PIXELS.copy()
    expected[0, 1] = 255
    expected[0, 2] = [204, 204, 214]  # one fifth of (0, 0, 51) on white
    assert (array_to_rgb(rgba) == expected).all()
    assert (array_to_rgb(rgba[..., [2, 1, 0, 3]], "BGR") == expected).all()
    assert (tensor_to_rgb(torch.from_numpy(rgba).permute(2, 0, 1)) == expected).all()


def test_floats_are_scaled_and_rounded():
    floats = PIXELS / 255
    for kind in (np.float64, np.float32, np.float16):
        assert (array_to_rgb(floats.astype(kind)) == PIXELS).all()
    assert (tensor_to_rgb(torch.from_numpy(floats).requires_grad_()) == PIXELS).all()
    white = tensor_to_rgb(torch.ones(3, 5, 6, dtype=torch.bfloat16))
    assert white.shape == (5, 6, 3)
    assert (white == 255).all()


def test_other_whole_numbers_within_a_byte():
    for kind in (np.int64, np.int16, np.uint16):
        assert (array_to_rgb(COLORS.astype(kind)) == PIXELS).all()


def test_channels_first_and_last():
    first = PIXELS.transpose(2, 0, 1)  # (3, 2, 5)
    assert (array_to_rgb(first) == PIXELS).all()
    assert (tensor_to_rgb(torch.from_numpy(first.copy())) == PIXELS).all()
    square = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    assert (array_to_rgb(square) == square).all(), "arrays: channels last where both are possible"
    assert (tensor_to_rgb(torch.from_numpy(square)) == square.transpose(1, 2, 0)).all()


def test_bgr_is_turned():
    assert (array_to_rgb(PIXELS[..., ::-1], "BGR") == PIXELS).all()
    grey = PIXELS[..., 0]
    assert (array_to_rgb(grey, "BGR") == array_to_rgb(grey)).all()


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((7, 6, 5), np.uint8), r"shape \(7, 6, 5\); expected \(H, W\)"),
        (np.zeros((0, 6, 3), np.uint8), r"shape \(0, 6, 3\)"),
        (np.zeros(6, np.uint8), r"shape \(6,\)"),
        (np.zeros((1, 4, 6, 3), np.uint8), "a batch; give a list of images"),
        (np.full((4, 6, 3), 255.0), r"float64 with values from 255 to 255; floats must be in"),
        (np.full((4, 6, 3), np.nan), "values from nan to nan"),
        (np.full((4, 6), -0.1), r"values from -0\.1"),
        (np.full((4, 6), 40000, np.uint16), r"uint16 with values from 40000 to 40000; scale it"),
        (np.full((4, 6), -1), "values from -1"),
        (np.zeros((4, 6), bool), "image array is bool"),
        (np.zeros((4, 6), object), "image array is object"),
    ],
)
def test_what_is_no_image_is_refused(array, message):
    with pytest.raises(InputError, match=message):
        array_to_rgb(array)


def test_unknown_channel_order():
    with pytest.raises(InputError, match="channel order 'GBR' is unknown; give RGB or BGR"):
        array_to_rgb(PIXELS, "GBR")

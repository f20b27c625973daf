"""NumPy arrays and torch tensors of any usual layout -> (H, W, 3) uint8 RGB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image

from ovarnet.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

ChannelOrder = Literal["RGB", "BGR"]
CHANNELS = (1, 3, 4)
"""Numbers of channels of grey, RGB and RGBA images."""
FORMS = "(H, W), (H, W, 1 or 3 or 4) or (1 or 3 or 4, H, W)"


def array_to_rgb(array: np.ndarray, channel_order: ChannelOrder = "RGB") -> np.ndarray:
    """Bring an image array to the form that the models read.

    Args:
        array: (H, W) or (H, W, 1) grey, (H, W, 3) colour or (H, W, 4) colour with alpha, or with
            the channels first, H and W at least 1. Where both readings are possible the channels
            are last. Integers are 0..255; floats are in [0, 1].
        channel_order: order of the colour channels. Libraries such as OpenCV read BGR.

    Returns:
        (H, W, 3) uint8 RGB, C-contiguous; the array itself if it is that already. Transparent
        pixels are shown on white.

    Raises:
        InputError: another shape, type or range of values.
    """
    return _to_rgb(_channels_last(array, prefer_first=False), channel_order)


def tensor_to_rgb(tensor: Tensor, channel_order: ChannelOrder = "RGB") -> np.ndarray:
    """As `array_to_rgb` for a tensor on any device, channels first where both are possible."""
    import torch  # here, so that reading image files does not load torch

    tensor = tensor.detach().cpu()
    if tensor.dtype == torch.bfloat16:  # which NumPy lacks
        tensor = tensor.float()
    return _to_rgb(_channels_last(tensor.numpy(), prefer_first=True), channel_order)


def _channels_last(array: np.ndarray, *, prefer_first: bool) -> np.ndarray:
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim == 4:
        raise InputError(
            f"image array has shape {array.shape}, a batch; give a list of images instead"
        )
    is_image = array.ndim == 3 and 0 not in array.shape
    is_first = is_image and array.shape[0] in CHANNELS
    is_last = is_image and array.shape[2] in CHANNELS
    if not is_first and not is_last:
        raise InputError(f"image array has shape {array.shape}; expected {FORMS}, at least 1 x 1")
    if is_first and (prefer_first or not is_last):
        return array.transpose(1, 2, 0)
    return array


def _to_rgb(array: np.ndarray, channel_order: ChannelOrder) -> np.ndarray:
    if channel_order not in ("RGB", "BGR"):
        raise InputError(f"channel order {channel_order!r} is unknown; give RGB or BGR")
    array = _to_bytes(array)
    if channel_order == "BGR" and array.shape[2] >= 3:
        array = array[..., [2, 1, 0, *range(3, array.shape[2])]]
    if array.shape[2] == 1:
        array = array.repeat(3, axis=2)
    if array.shape[2] == 4:
        image = Image.fromarray(np.ascontiguousarray(array))
        array = np.array(on_white(image))
    return np.ascontiguousarray(array)


def on_white(image: Image.Image) -> Image.Image:
    """An RGB image in which transparent parts of `image` are white."""
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _to_bytes(array: np.ndarray) -> np.ndarray:
    """Values as uint8; nothing is guessed about a range."""
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind == "f":
        low, high = float(array.min()), float(array.max())
        if not (low >= 0 and high <= 1):  # NaN fails too
            raise InputError(
                f"image array is {array.dtype} with values from {low:g} to {high:g}; floats must "
                "be in [0, 1], or convert it to uint8 with values 0..255"
            )
        return np.rint(array.astype(np.float32) * 255).astype(np.uint8)
    if array.dtype.kind in "iu":
        low, high = int(array.min()), int(array.max())
        if low < 0 or high > 255:
            raise InputError(
                f"image array is {array.dtype} with values from {low} to {high}; scale it to "
                "0..255 and convert it to uint8"
            )
        return array.astype(np.uint8)
    raise InputError(
        f"image array is {array.dtype}; expected uint8 with values 0..255 or floats in [0, 1]"
    )

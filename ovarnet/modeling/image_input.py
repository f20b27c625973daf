"""What a user may give as images, read a few at a time into what a `RegionModel` takes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ovarnet.errors import InputError
from ovarnet.io.images import read_image, to_pixels
from ovarnet.io.pixel_arrays import ChannelOrder
from ovarnet.modeling.given_boxes import checked_boxes, one_each

BATCH_IMAGES = 8
BATCH_PIXELS = 24_000_000  # 24 Mpx are 288 MB as float32 RGB


@dataclass
class ImageBatch:
    """A few images in the form of `RegionModel.forward`.

    Args:
        images: tensors (3, H, W), float32 RGB in [0, 1].
        names: file of each image, or None.
        boxes: tensors (N, 4), checked and clipped; None: boxes are to be found.
    """

    images: list[Tensor] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    boxes: list[Tensor] | None = None


def is_many(image: Any) -> bool:
    """Whether the user gave several images: a list, a tuple, or an array with a batch dimension."""
    return isinstance(image, (list, tuple)) or (
        isinstance(image, (np.ndarray, Tensor)) and image.ndim == 4
    )


def image_batches(
    images: Any,
    boxes: Any,
    *,
    device: torch.device,
    channel_order: ChannelOrder = "RGB",
    batch_size: int | None = None,
) -> Iterator[ImageBatch]:
    """Read images in batches, so that a long list of large photos does not fill the memory.

    Args:
        images: what `read_image` takes, or several of these (see `is_many`).
        boxes: boxes of the image, or one set for each image; None: none are given.
        device: where the pixels are sent.
        channel_order: as in `read_image`.
        batch_size: images of a batch; None: up to 8, and fewer where they have more than 24
            million pixels together.

    Raises:
        InputError: an image that cannot be read, boxes that are wrong, or an unknown argument.
    """
    if batch_size is not None and (not isinstance(batch_size, int) or batch_size < 1):
        raise InputError(f"batch_size is {batch_size!r}; it must be a whole number of at least 1")
    many = is_many(images)
    images = list(images) if many else [images]
    all_boxes = one_each(boxes, len(images)) if many else None if boxes is None else [boxes]
    batch, pixels = _empty(all_boxes), 0
    for index, image in enumerate(images):
        array = _read(image, index, len(images), channel_order)
        height, width = array.shape[:2]
        if batch.images and _is_full(len(batch.images), pixels + height * width, batch_size):
            yield batch
            batch, pixels = _empty(all_boxes), 0
        name = _name(image)
        batch.images.append(to_pixels(array, device))
        batch.names.append(name)
        if batch.boxes is not None and all_boxes is not None:
            owner = name or (f"image {index}" if len(images) > 1 else "image")
            batch.boxes.append(checked_boxes(all_boxes[index], height, width, owner))
        pixels += height * width
    if batch.images:
        yield batch


def _empty(boxes: Sequence[Any] | None) -> ImageBatch:
    return ImageBatch(boxes=None if boxes is None else [])


def _is_full(images: int, pixels_with_next: int, batch_size: int | None) -> bool:
    if batch_size is not None:
        return images == batch_size
    return images == BATCH_IMAGES or pixels_with_next > BATCH_PIXELS


def _name(image: Any) -> str | None:
    """A path as given, or the file a PIL image was opened from."""
    if isinstance(image, (str, os.PathLike)):
        return str(image)
    return getattr(image, "filename", None) or None


def _read(image: Any, index: int, images: int, channel_order: ChannelOrder) -> np.ndarray:
    try:
        return read_image(image, channel_order)
    except InputError as error:
        if images == 1 or isinstance(image, (str, os.PathLike)):
            raise
        raise InputError(f"image {index} of the list: {error}") from None

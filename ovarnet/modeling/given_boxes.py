"""The user's boxes, checked against the image they are given for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ovarnet.errors import InputError
from ovarnet.structures import are_fractions, as_boxes


def checked_boxes(boxes: Any, height: int, width: int, owner: str) -> Tensor:
    """Check boxes and clip them to the image.

    Args:
        boxes: anything of shape (N, 4), or a list of N tensors (4,); xyxy in pixels. N may be 0.
        height: of the image, pixels.
        width: of the image, pixels.
        owner: what the boxes belong to, for messages.

    Returns:
        (N, 4) float32 on the CPU, same order, same count.

    Raises:
        InputError: naming `owner` and the index, a box that is not finite, inverted, of no size or
            wholly outside; or all boxes are fractions of the image instead of pixels.
    """
    boxes = _as_tensor(boxes, owner)
    x1, y1, x2, y2 = boxes.unbind(dim=1)
    faults = {
        "is inverted; write x1, y1 (upper left), x2, y2 (lower right)": (x2 < x1) | (y2 < y1),
        "has no size; x2 must exceed x1 and y2 must exceed y1": (x2 == x1) | (y2 == y1),
        f"lies outside the image of {width} x {height} pixels": (x2 <= 0)
        | (y2 <= 0)
        | (x1 >= width)
        | (y1 >= height),
    }
    for fault, wrong in faults.items():
        if wrong.any():
            index = int(wrong.nonzero()[0])
            raise InputError(f"{owner}: box {index} {boxes[index].tolist()} {fault}")
    if max(height, width) > 1 and are_fractions(boxes.tolist()):
        raise InputError(
            f"{owner}: all boxes lie within 0..1, such as {boxes[0].tolist()}, as fractions of the "
            f"image; give pixels (x times {width}, y times {height})"
        )
    return torch.minimum(boxes.clamp(min=0), torch.tensor([width, height, width, height]))


def one_each(boxes: Sequence[Any] | None, images: int) -> list[Any] | None:
    """Check that there is one set of boxes for each of `images` images."""
    if boxes is None:
        return None
    boxes = list(boxes)
    if len(boxes) != images:
        raise InputError(
            f"{images} images but {len(boxes)} sets of boxes; give one (N, 4) array of boxes for "
            "each image"
        )
    return boxes


def _as_tensor(boxes: Any, owner: str) -> Tensor:
    """(N, 4) float32 on the CPU."""
    if (
        isinstance(boxes, (list, tuple))
        and boxes
        and all(isinstance(box, Tensor) and box.shape == (4,) for box in boxes)
    ):
        boxes = torch.stack(list(boxes))
    try:
        return as_boxes(boxes, f"{owner}: boxes").cpu()
    except InputError:
        raise
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise InputError(f"{owner}: boxes must be numbers of shape (N, 4): {error}") from None

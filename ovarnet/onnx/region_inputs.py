"""Example inputs of a `RegionGraph`, with which it is traced."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.export import Dim

from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.modeling.resize import PAD_MULTIPLE

EXAMPLE_IMAGES, EXAMPLE_SIZE = 2, (6 * PAD_MULTIPLE, 4 * PAD_MULTIPLE)
"""What the graph is traced with; any other works too. A side of one cell, here on the map of
stride 64, would be taken for a constant."""
MOST_CELLS = 256
"""Largest side of an image in multiples of 32."""


def region_inputs(
    model: OvarNet, size: tuple[int, int] | None = None
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Example inputs of `RegionGraph`, and which of their sides may differ.

    Args:
        model: to be exported.
        size: height and width of all images; None: they may differ.
    """
    images, width = EXAMPLE_IMAGES, model.clip.embed_dim
    height_and_width = size or EXAMPLE_SIZE
    inputs = {
        "images": torch.rand(images, 3, *height_and_width),
        "sizes": torch.tensor([height_and_width] * images),
        "given_boxes": torch.tensor([4.0, 4, 30, 40]).expand(images, 3, 4).contiguous(),
        "category_words": torch.full((2, width), width**-0.5),
        "attribute_words": torch.full((3, width), width**-0.5),
    }
    # torch 2.6 refuses a number of images without an upper bound ("Constraints violated")
    batch, given = Dim("images", min=1, max=1024), Dim("given")
    rows, columns = (
        PAD_MULTIPLE * Dim(name, min=1, max=MOST_CELLS) for name in ("height", "width")
    )
    shapes: dict[str, Any] = {
        "images": {0: batch} if size else {0: batch, 2: rows, 3: columns},
        "sizes": {0: batch},
        "given_boxes": {0: batch, 1: given},
        "category_words": {0: Dim("categories")},
        "attribute_words": {0: Dim("attributes")},
    }
    return inputs, shapes

"""Image resizing for torchvision's detectors, for images of any shape: from one pixel to a strip of
20000 x 20.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor
from torchvision.models.detection.transform import GeneralizedRCNNTransform, resize_boxes

PAD_MULTIPLE = 32


class DetectorResize(GeneralizedRCNNTransform):
    """torchvision's transform (normalise, resize, pad into a batch, boxes back to the original
    frame) with another rule of size.

    short_side: (low, high); an image whose short side lies within is left as it is, any other is
    brought to the nearer end. long_side: upper limit of the long side in pixels; it wins over
    `short_side`. train_short_sides: in training the short side is drawn from these; empty: the same
    rule as in evaluation. mean, std: of the pixels in [0, 1]. torchvision's own rule resizes every
    image, and a strip down to a height of 0.
    """

    def __init__(
        self,
        short_side: tuple[int, int],
        long_side: int,
        mean: Sequence[float],
        std: Sequence[float],
        train_short_sides: Sequence[int] = (),
    ):
        super().__init__(
            short_side[1], long_side, list(mean), list(std), size_divisible=PAD_MULTIPLE
        )
        self.short_side = short_side
        self.train_short_sides = tuple(train_short_sides)

    def resize(
        self, image: Tensor, target: dict[str, Tensor] | None = None
    ) -> tuple[Tensor, dict[str, Tensor] | None]:
        """image: (3, H, W); target: {"boxes": (N, 4), ...} or None. Called by torchvision for each
        image.
        """
        before = tuple(image.shape[-2:])
        after = self.resized(*before)
        if after != before:
            image = F.interpolate(image[None], after, mode="bilinear", antialias=True)[0]
        if target is not None:
            target["boxes"] = resize_boxes(target["boxes"], before, after)
        return image, target

    def resized(self, height: int, width: int) -> tuple[int, int]:
        """Height and width that an image is resized to; at least one pixel each."""
        low, high = self.short_side
        if self.training and self.train_short_sides:
            low = high = self.torch_choice(list(self.train_short_sides))
        shorter, longer = sorted((height, width))
        scale = min(max(shorter, low), high) / shorter
        scale = min(scale, self.max_size / longer)
        return max(1, round(height * scale)), max(1, round(width * scale))

    def padded(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the batch that an image makes when it is alone: resized, then padded
        to multiples of 32.
        """
        height, width = self.resized(height, width)
        return math.ceil(height / PAD_MULTIPLE) * PAD_MULTIPLE, math.ceil(
            width / PAD_MULTIPLE
        ) * PAD_MULTIPLE

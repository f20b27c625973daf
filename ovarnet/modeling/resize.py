"""Image resizing for torchvision's detectors, from one pixel to a strip of 20000 x 20."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor
from torchvision.models.detection.transform import GeneralizedRCNNTransform, resize_boxes

PAD_MULTIPLE = 32


class DetectorResize(GeneralizedRCNNTransform):
    """torchvision's transform with another rule of size.

    The transform normalises, resizes, pads into a batch, and brings boxes back to the original
    frame. torchvision's own rule resizes every image, and a strip down to a height of 0.

    Args:
        short_side: (low, high) pixels; an image whose short side lies within is left as it is, any
            other is brought to the nearer end.
        long_side: upper limit of the long side in pixels; it wins over `short_side`.
        mean: of the pixels in [0, 1], 3 numbers.
        std: of the pixels in [0, 1], 3 numbers.
        train_short_sides: in training the short side is drawn from these; empty: as in evaluation.
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
        """Resize one image and its boxes; torchvision calls it.

        Args:
            image: (3, H, W).
            target: {"boxes": (N, 4), ...}, changed in place; or None.

        Returns:
            The image (3, H', W') and the target.
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
        """Height and width of the batch of this image alone: resized, then padded."""
        height, width = self.resized(height, width)
        return _next_multiple(height), _next_multiple(width)

    def same_size(self, images: Sequence[Tensor]) -> list[list[int]]:
        """Group images that are padded to the same size.

        Padding reaches the features near the border, so only such images may share a batch if the
        result of an image is not to depend on its neighbours.

        Args:
            images: tensors (3, H, W).

        Returns:
            Indices of the images of each group.
        """
        groups = defaultdict(list)
        for index, image in enumerate(images):
            groups[self.padded(image.shape[1], image.shape[2])].append(index)
        return list(groups.values())


def _next_multiple(side: int) -> int:
    return math.ceil(side / PAD_MULTIPLE) * PAD_MULTIPLE

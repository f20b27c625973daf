"""Image resizing for a graph that takes one size of image."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ovarnet.modeling.resize import DetectorResize


class FixedResize(DetectorResize):
    """Brings every image to the largest size that fits, and pads it on the right and below.

    Args:
        height: of the graph's images.
        width: of the graph's images.
    """

    def __init__(self, height: int, width: int):
        # mean and standard deviation of nothing: the graph normalises
        super().__init__((height, height), width, (0.0,) * 3, (1.0,) * 3)
        self.height, self.width = height, width
        self.eval()

    def resized(self, height: int, width: int) -> tuple[int, int]:
        """See `DetectorResize.resized`."""
        scale = min(self.height / height, self.width / width)
        return max(1, round(height * scale)), max(1, round(width * scale))

    def padded(self, height: int, width: int) -> tuple[int, int]:  # noqa: ARG002
        """See `DetectorResize.padded`."""
        return self.height, self.width

    def batch_images(self, images: list[Tensor], size_divisible: int = 32) -> Tensor:  # noqa: ARG002
        """Pad images (3, H', W') and stack them; torchvision calls it."""
        room = [(self.width - image.shape[2], self.height - image.shape[1]) for image in images]
        return torch.stack(
            [
                F.pad(image, (0, right, 0, below))
                for image, (right, below) in zip(images, room, strict=True)
            ]
        )

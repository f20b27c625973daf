"""Crops of boxes at the input size of a CLIP image tower (method section 2.2).

R boxes of one image, S side of the tower's input.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.crops import crop_boxes, random_crop_boxes
from ovarnet.training.data.image_cache import ImageCache


class BoxCropper:
    """Cuts boxes out of image files.

    Args:
        clip: Gives the input size and the normalisation.
        images: Reads the files.
        augment: False: `random` gives the crops of `fixed`, for validation.
    """

    def __init__(self, clip: Clip, images: ImageCache, *, augment: bool = True):
        self.augment = augment
        self.size, self.mean, self.std, self.images = clip.image_size, clip.mean, clip.std, images

    def fixed(self, file: str, boxes: Tensor) -> Tensor:
        """Deterministic crops, as at inference and for pseudo-labels.

        Args:
            file: Path of an image.
            boxes: (R, 4) float32 xyxy, pixels of the image; R may be 0.

        Returns:
            (R, 3, S, S) float32, normalised.
        """
        return crop_boxes(self.images.read(file), boxes, self.size, self.mean, self.std)

    def random(
        self,
        file: str,
        boxes: Tensor,
        generator: torch.Generator,
        *,
        enlarge: float = 0.2,
        keep: float = 0.9,
    ) -> Tensor:
        """Augmented crops: boxes grown, sub-crops of them, mirrored half of the time.

        Args:
            file: Path of an image.
            boxes: (R, 4) float32 xyxy, pixels of the image; R may be 0.
            generator: Draws the augmentation.
            enlarge: Most that a box is grown by, as a share of its sides.
            keep: Smallest share of a side that a sub-crop has.

        Returns:
            (R, 3, S, S) float32, normalised.
        """
        if not self.augment:
            return self.fixed(file, boxes)
        return random_crop_boxes(
            self.images.read(file),
            boxes,
            self.size,
            self.mean,
            self.std,
            generator,
            enlarge=(0.0, enlarge),
            keep=keep,
        )

    def concatenate(self, crops: Sequence[Tensor]) -> Tensor:
        """Crops of several images, each (R, 3, S, S), in one tensor; there may be none."""
        return torch.cat([torch.zeros(0, 3, self.size, self.size), *crops])


def hflip_boxes(boxes: Tensor, width: int) -> Tensor:
    """Boxes in the horizontally flipped image.

    Args:
        boxes: (N, 4) xyxy pixels.
        width: Of the image, in pixels.

    Returns:
        (N, 4) xyxy pixels.
    """
    x1, y1, x2, y2 = boxes.unbind(1)
    return torch.stack([width - x2, y1, width - x1, y2], dim=1)

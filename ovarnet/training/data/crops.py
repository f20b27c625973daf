"""Crops of boxes for training: images read once and kept in memory as far as allowed, crops cut
anew at every visit.

R regions, S side of the image tower's input.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ovarnet.io.images import read_image, to_pixels
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.crops import crop_boxes, random_crop_boxes


class ImageCache:
    """Decoded images by path. The first `megabytes` of them are kept; later ones are read again
    each time. One per worker process.
    """

    def __init__(self, megabytes: int):
        self.room = megabytes * 2**20
        self.kept: dict[str, np.ndarray] = {}

    def read(self, file: str) -> Tensor:
        """(3, H, W) float32 in [0, 1]."""
        pixels = self.kept.get(file)
        if pixels is None:
            pixels = read_image(file)
            if pixels.nbytes <= self.room:
                self.keep(file, pixels)
        return to_pixels(pixels)

    def keep(self, file: str, pixels: np.ndarray) -> None:
        """(H, W, 3) uint8 RGB to be found under `file`, which need not exist on disk."""
        self.kept[file] = pixels
        self.room -= pixels.nbytes


class CropRule:
    """Cuts boxes for the input of `clip` by the rule of method section 2.2."""

    def __init__(self, clip: Clip, images: ImageCache):
        self.size, self.mean, self.std, self.images = clip.image_size, clip.mean, clip.std, images

    def fixed(self, file: str, boxes: Tensor) -> Tensor:
        """(R, 3, S, S): the deterministic crops of test and pseudo-labels."""
        return crop_boxes(self.images.read(file), boxes, self.size, self.mean, self.std)

    def random(
        self,
        file: str,
        boxes: Tensor,
        draw: torch.Generator,
        *,
        enlarge: float = 0.2,
        keep: float = 0.9,
    ) -> Tensor:
        """(R, 3, S, S): augmented crops. enlarge: most that a box is grown by. keep: least share of
        a side that is kept.
        """
        return random_crop_boxes(
            self.images.read(file),
            boxes,
            self.size,
            self.mean,
            self.std,
            draw,
            enlarge=(0.0, enlarge),
            keep=keep,
        )


def seeded(*numbers: int) -> torch.Generator:
    """A CPU generator that depends on all of `numbers`, such as (seed, iteration, index)."""
    return torch.Generator().manual_seed(seed_of(*numbers))


def seed_of(*numbers: int) -> int:
    """A seed in [0, 2^63) that depends on all of `numbers`, but for zeros at their end."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


def stack(crops: Sequence[Tensor], like: CropRule) -> Tensor:
    """Concatenate lists of crops, of which there may be none."""
    return torch.cat([torch.zeros(0, 3, like.size, like.size), *crops])


def mirror(boxes: Tensor, width: int) -> Tensor:
    """(N, 4) boxes in the left-right mirrored image of that width."""
    x1, y1, x2, y2 = boxes.unbind(1)
    return torch.stack([width - x2, y1, width - x1, y2], dim=1)

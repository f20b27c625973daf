"""Decoded images, kept in memory as far as it is allowed."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from ovarnet.io.images import read_image, to_pixels


class ImageCache:
    """Images by path: the first ones read are kept, later ones are read again at every visit.

    Each worker process has a cache of its own.

    Args:
        megabytes: Most memory of the kept images; 0 keeps none.
    """

    def __init__(self, megabytes: int):
        self.free_bytes = megabytes * 2**20
        self.kept: dict[str, np.ndarray] = {}

    def read(self, file: str) -> Tensor:
        """The pixels of an image, (3, H, W) float32 RGB in [0, 1]."""
        pixels = self.kept.get(file)
        if pixels is None:
            pixels = read_image(file)
            if pixels.nbytes <= self.free_bytes:
                self.keep(file, pixels)
        return to_pixels(pixels)

    def keep(self, file: str, pixels: np.ndarray) -> None:
        """Keep an image under a name that need not exist on disk.

        Args:
            file: Name that `read` is called with.
            pixels: (H, W, 3) uint8 RGB.
        """
        self.kept[file] = pixels
        self.free_bytes -= pixels.nbytes

"""Writes an RGB array as a JPEG or PNG file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ovarnet.io.files import whole_file

JPEG_QUALITY = 90


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write a picture; the file appears only when it is complete.

    Args:
        path: a name that ends in .png is written as PNG, every other one as JPEG. Missing folders
            are made.
        image: (H, W, 3) uint8 RGB.
    """
    with whole_file(path) as unfinished:
        if Path(path).suffix.lower() == ".png":
            Image.fromarray(image).save(unfinished, format="PNG")
        else:
            Image.fromarray(image).save(unfinished, format="JPEG", quality=JPEG_QUALITY)

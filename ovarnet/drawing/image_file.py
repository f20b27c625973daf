"""Writes an (H, W, 3) uint8 RGB array as a JPEG or PNG file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ovarnet.io.files import whole_file


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write a picture as JPEG or PNG, by the suffix of `path`; the file appears only when it is
    complete. Missing folders are made.
    """
    png = Path(path).suffix.lower() == ".png"
    with whole_file(path) as unfinished:
        Image.fromarray(image).save(
            unfinished, format="PNG" if png else "JPEG", **({} if png else {"quality": 90})
        )

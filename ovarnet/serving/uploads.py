"""Image files that clients send: decoded within limits, never opened by name."""

from __future__ import annotations

import io

import numpy as np
from starlette.exceptions import HTTPException

from ovarnet.io.images import count_pixels, read_image

TOO_LARGE = 413


def check_pixels(file: str, content: bytes, most: int) -> None:
    """Refuse an image by its header, before it is decoded.

    Args:
        file: what its owner calls it, for messages.
        content: the image file.
        most: pixels.

    Raises:
        InputError: not an image that can be read.
        HTTPException: 413, too many pixels.
    """
    pixels = count_pixels(_named(file, content))
    if pixels > most:
        raise HTTPException(
            TOO_LARGE,
            f"{file}: {pixels:,} pixels; the limit of this server is {most:,}, scale the image "
            "down",
        )


def decode(file: str, content: bytes) -> np.ndarray:
    """The pixels of an image file, (H, W, 3) uint8 RGB.

    Args:
        file: what its owner calls it, for messages.
        content: the image file.

    Raises:
        InputError: not an image that can be read.
    """
    return read_image(_named(file, content))


def _named(file: str, content: bytes) -> io.BytesIO:
    """A file object whose name messages show."""
    named = io.BytesIO(content)
    named.name = file
    return named

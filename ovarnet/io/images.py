"""Any image a user may bring -> (H, W, 3) uint8 RGB, in the frame the photographer saw (EXIF
rotation applied).

Pillow decodes. What cannot be read raises InputError with the file and the fix; nothing is ever
replaced by another image.
"""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import ExifTags, Image, ImageOps

from ovarnet.errors import InputError
from ovarnet.io.shards import read_member

if TYPE_CHECKING:
    import torch
    from torch import Tensor

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
LARGEST = 2 * (Image.MAX_IMAGE_PIXELS or 89_478_485)
"""Pixels. Pillow's own limit for a decompression bomb, 178,956,970: 0.5 GB once decoded."""

# What Pillow's decoders raise on damaged data.
DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    struct.error,
    zlib.error,
)


def read_image(image: str | Path | Image.Image | np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB, C-contiguous.

    Transparent parts are shown on white; 16-bit grey is scaled to 8 bits; of an animation, the
    first frame is taken. A numpy array must already be (H, W, 3) uint8 RGB. A path may also be the
    place of an image in a shard (`ovarnet.io.shards`). InputError: missing, empty, truncated, not
    an image, or over 178 million pixels.
    """
    if isinstance(image, np.ndarray):
        return _checked_array(image)
    if isinstance(image, Image.Image):
        return _decode(image, getattr(image, "filename", None) or "image")
    if not isinstance(image, (str, Path)):
        raise InputError(
            "an image is a path, a PIL image or a numpy array (H, W, 3) uint8 RGB; got "
            f"{type(image).__name__}"
        )
    with _open(image) as opened:
        return _decode(opened, str(image))


def to_pixels(image: np.ndarray, device: str | torch.device = "cpu") -> Tensor:
    """(H, W, 3) uint8 -> (3, H, W) float32 in [0, 1], contiguous, on `device`, where a quarter of
    the bytes is sent.
    """
    import torch  # here, because `generate` and `prepare` read images without it

    return torch.from_numpy(image).to(device).permute(2, 0, 1).contiguous() / 255


def read_image_size(path: str | Path) -> tuple[int, int]:
    """(height, width) in pixels after EXIF rotation, from the header: a JPEG is not decoded."""
    with _open(path) as opened:
        width, height = opened.size
        try:
            turned = opened.getexif().get(ExifTags.Base.Orientation) in (5, 6, 7, 8)
        except DECODE_ERRORS as error:
            raise _damaged(path, error) from None
    return (width, height) if turned else (height, width)


def list_images(paths: Iterable[str | Path]) -> list[Path]:
    """Files as given, folders replaced by the images in them (recursive, sorted by path, hidden
    files left out); each file once, in order.

    A file need not exist or be an image: reading it says so. A folder without an image: InputError.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if not os.path.isdir(path):
            found[path] = None
            continue
        inside = sorted(
            file
            for file in path.rglob("*")
            if file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()
        )
        if not inside:
            raise InputError(
                f"{path}: no image in this folder; expected files ending in {', '.join(SUFFIXES)}"
            )
        found.update(dict.fromkeys(inside))
    return list(found)


def _open(path: str | Path) -> Image.Image:
    path = Path(path)
    try:
        member = read_member(path)
        if not (path.stat().st_size if member is None else len(member)):
            raise InputError(f"{path}: the file is empty; download or export the image again")
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", Image.DecompressionBombWarning
            )  # below LARGEST an image is welcome
            return Image.open(path if member is None else io.BytesIO(member))
    except InputError:  # a ValueError too
        raise
    except FileNotFoundError:
        scheme, _, address = str(path).partition(":/")  # Path makes one slash of two
        if scheme in ("http", "https"):
            raise InputError(
                f"{scheme}://{address} is a URL; download it first and give the file"
            ) from None
        raise InputError(f"{path}: no such file; check the path") from None
    except IsADirectoryError:
        raise InputError(
            f"{path}: is a folder; give image files, or a folder with images in it"
        ) from None
    except Image.UnidentifiedImageError:
        raise InputError(
            f"{path}: not an image that can be read; convert it to JPEG or PNG"
        ) from None
    except Image.DecompressionBombError:
        raise InputError(
            f"{path}: more than {LARGEST:,} pixels; scale the image down first"
        ) from None
    except DECODE_ERRORS as error:
        if getattr(error, "errno", None):  # the system's word, not Pillow's
            raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from None
        raise _damaged(path, error) from None


def _damaged(name: str | Path, error: BaseException) -> InputError:
    return InputError(
        f"{name}: cannot be decoded ({error}); the file is truncated or damaged, download or "
        "export it again"
    )


def _decode(image: Image.Image, name: str) -> np.ndarray:
    if image.width * image.height > LARGEST:
        raise InputError(
            f"{name}: {image.width} x {image.height} is more than {LARGEST:,} pixels; scale the "
            "image down first"
        )
    if image.width == 0 or image.height == 0:
        raise InputError(
            f"{name}: {image.width} x {image.height} pixels; an image needs at least one pixel"
        )
    if image.mode == "F":
        raise InputError(
            f"{name}: a floating point image has no defined white; convert it to 8 or 16 bits"
        )
    try:
        rgb = _to_rgb(ImageOps.exif_transpose(image))
    except DECODE_ERRORS as error:
        raise _damaged(name, error) from None
    return np.array(rgb)  # a copy: Pillow's own memory is read-only, which torch warns about


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits per pixel; Pillow's own conversion clips at 255
        levels = np.asarray(image).astype(np.int64).clip(0, 65535)
        return Image.fromarray(((levels + 128) // 257).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _checked_array(array: np.ndarray) -> np.ndarray:
    if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise InputError(
            f"image array has shape {array.shape}; expected (height, width, 3) in RGB order, each "
            "at least 1"
        )
    if array.dtype != np.uint8:
        raise InputError(f"image array is {array.dtype}; expected uint8 with values 0..255")
    if array.shape[0] * array.shape[1] > LARGEST:
        raise InputError(
            f"image array has more than {LARGEST:,} pixels; scale the image down first"
        )
    return np.ascontiguousarray(array)

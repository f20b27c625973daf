"""Any image that a user may bring -> (H, W, 3) uint8 RGB, with its EXIF rotation applied.

Pillow decodes, raster formats only. What cannot be read raises an InputError with the file and the
fix; an image is never replaced by another one.
"""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeGuard

import numpy as np
from PIL import ExifTags, Image, ImageOps

from ovarnet.errors import InputError
from ovarnet.io.base64_cells import read_cell
from ovarnet.io.download import download, is_url
from ovarnet.io.hdf5_rows import read_row
from ovarnet.io.pixel_arrays import ChannelOrder, array_to_rgb, on_white, tensor_to_rgb
from ovarnet.io.shards import read_member

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    ImageLike = (
        str | Path | bytes | bytearray | memoryview | BinaryIO | Image.Image | np.ndarray | Tensor
    )

SUFFIXES = (
    ".jpg",
    ".jpeg",
    ".png",
    ".webp",
    ".bmp",
    ".gif",
    ".tif",
    ".tiff",
    ".avif",
    ".heic",
    ".heif",
)
"""Names of image files in folders; a file given by itself may have any name."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF", "HEIF")
"""Raster formats that are read, whatever the name of the file. HEIF needs a Pillow plugin.

All other decoders of Pillow stay closed: PostScript, for one, is a program that Ghostscript runs.
"""
PROGRAMS = ("EPS", "WMF")
"""Formats of opened PIL images that decoding would hand to another program."""

LARGEST = 2 * (Image.MAX_IMAGE_PIXELS or 89_478_485)
"""Pillow's own limit in pixels for a decompression bomb, 178,956,970: 0.5 GB once decoded."""


def read_image(image: ImageLike, channel_order: ChannelOrder = "RGB") -> np.ndarray:
    """Read an image of any usual kind.

    Transparent parts are shown on white, 16-bit grey is scaled to 8 bits, and the first frame of an
    animation is taken.

    Args:
        image: a path, or the place of an image in a shard (`ovarnet.io.shards`), a text table
            (`ovarnet.io.base64_cells`) or an HDF5 file (`ovarnet.io.hdf5_rows`); the text of an
            http or https URL; a PIL image; the bytes of an image file, or a binary file object; or
            an array or tensor of shape (H, W), (H, W, C) or (C, H, W) with C = 1, 3 or 4, uint8 or
            floats in [0, 1] (`ovarnet.io.pixel_arrays`). Text from strangers may be an address
            inside your network: a server passes bytes.
        channel_order: "RGB", or "BGR" for arrays and tensors as OpenCV reads them. Files and PIL
            images know their own order.

    Returns:
        (H, W, 3) uint8 RGB, C-contiguous.

    Raises:
        InputError: missing, empty, truncated or damaged, not a raster image, over 178 million
            pixels, an array of another form, or a URL that `ovarnet.io.download` refuses.
    """
    if isinstance(image, np.ndarray):
        _check_size(image.size // 3, "image array")
        return array_to_rgb(image, channel_order)
    if isinstance(image, Image.Image):
        return _decode(image, getattr(image, "filename", None) or "image")
    if isinstance(image, (str, Path)) and not is_url(image):
        row = read_row(image)
        if row is not None:
            return array_to_rgb(row, "RGB")
        with _open(image) as opened:
            return _decode(opened, str(image))
    if _is_tensor(image):
        _check_size(image.numel() // 3, "image tensor")
        return tensor_to_rgb(image, channel_order)
    name, content = _content(image)
    with _open_bytes(name, content) as opened:
        return _decode(opened, name)


def to_pixels(image: ImageLike, device: str | torch.device = "cpu") -> Tensor:
    """Bring an image to the tensor that the models take.

    Args:
        image: as for `read_image`; usually its result, (H, W, 3) uint8 RGB.
        device: where the tensor goes; a quarter of its bytes is sent.

    Returns:
        (3, H, W) float32 RGB in [0, 1], contiguous.

    Raises:
        InputError: as `read_image`.
    """
    import torch  # here, so that `generate` and `prepare` read images without it

    pixels = torch.from_numpy(read_image(image)).to(device)
    return pixels.permute(2, 0, 1).contiguous() / 255


def read_image_size(path: str | Path) -> tuple[int, int]:
    """Read the size of an image file from its header, without decoding it.

    Args:
        path: a file, or the place of an image as in `read_image`.

    Returns:
        (height, width) in pixels after EXIF rotation.

    Raises:
        InputError: missing, empty, or not a raster image.
    """
    row = read_row(path)
    if row is not None:
        return row.shape[0], row.shape[1]
    with _open(path) as opened:
        width, height = opened.size
        with _decoding(path):
            turned = opened.getexif().get(ExifTags.Base.Orientation) in (5, 6, 7, 8)
    return (width, height) if turned else (height, width)


def count_pixels(image: bytes | BinaryIO) -> int:
    """Count the pixels of an image by its header alone, before it costs memory.

    `read_image_size` is no such check: to look for an EXIF rotation, Pillow decodes a PNG.

    Args:
        image: the bytes of an image file, or a binary file object.

    Raises:
        InputError: empty, not a raster image, or more pixels than Pillow opens.
    """
    name, content = _content(image)
    with _open_bytes(name, content) as opened:
        return opened.width * opened.height


def _open(path: str | Path) -> Image.Image:
    path = Path(path)
    try:
        member = read_member(path) or read_cell(path)
        if member is not None:
            return _open_bytes(str(path), member)
        if not path.stat().st_size:
            raise _empty(path)
        with path.open("rb"):  # the system's own errors, before those of the decoders
            pass
    except FileNotFoundError:
        scheme, _, address = str(path).partition(":/")  # Path makes one slash of two
        if scheme in ("http", "https"):
            raise InputError(
                f"{scheme}://{address} is a URL; give it as text, not as a path, or download it"
            ) from None
        if scheme.isalpha() and len(scheme) > 1 and address:  # no drive letter
            raise InputError(
                f"{scheme}://{address}: not an address that is read; give an http or https URL"
            ) from None
        raise InputError(f"{path}: no such file; check the path") from None
    except IsADirectoryError:
        raise InputError(
            f"{path}: is a folder; give image files, or a folder with images in it"
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not the path of a file ({error}); check the path") from None
    with _decoding(path):
        return Image.open(path, formats=readable_formats())


def _open_bytes(name: str, content: bytes) -> Image.Image:
    if not content:
        raise _empty(name)
    with _decoding(name):
        return Image.open(io.BytesIO(content), formats=readable_formats())


@cache
def readable_formats() -> list[str]:
    """The FORMATS that this Pillow, with its plugins, can read."""
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


@contextmanager
def _decoding(name: str | Path) -> Iterator[None]:
    """Turns whatever a decoder raises into one line about one bad image."""
    try:
        with warnings.catch_warnings():
            # An image below LARGEST is welcome, and damaged metadata does not concern the pixels.
            warnings.simplefilter("ignore")
            yield
    except InputError:
        raise
    except Image.UnidentifiedImageError:
        raise InputError(
            f"{name}: not an image that can be read (formats: {', '.join(readable_formats())}); "
            "convert it to JPEG or PNG"
        ) from None
    except Image.DecompressionBombError:
        raise InputError(
            f"{name}: more than {LARGEST:,} pixels; scale the image down first"
        ) from None
    except Exception as error:  # Damaged data makes decoders raise nearly every kind there is.
        raise InputError(
            f"{name}: cannot be decoded ({str(error) or type(error).__name__}); the file is "
            "truncated or damaged, download or export it again"
        ) from None


def _decode(image: Image.Image, name: str) -> np.ndarray:
    _check_size(image.width * image.height, f"{name}: {image.width} x {image.height}")
    if image.width == 0 or image.height == 0:
        raise InputError(
            f"{name}: {image.width} x {image.height} pixels; an image needs at least one pixel"
        )
    if image.mode == "F":
        raise InputError(
            f"{name}: a floating point image has no defined white; convert it to 8 or 16 bits"
        )
    if image.format in PROGRAMS:
        raise InputError(f"{name}: {image.format} is not a raster image; convert it to PNG")
    with _decoding(name):
        # A copy: Pillow's own memory is read-only, which torch warns about.
        return np.array(_to_rgb(ImageOps.exif_transpose(image)))


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits per pixel; Pillow's own conversion clips at 255
        levels = np.asarray(image).astype(np.int64).clip(0, 65535)
        return Image.fromarray(((levels + 128) // 257).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        return on_white(image)
    return image.convert("RGB")


def _content(image: object) -> tuple[str, bytes]:
    """Name and bytes of an image file given as URL, as bytes or as a file object."""
    if isinstance(image, str):
        return image, download(image)
    if isinstance(image, (bytes, bytearray, memoryview)):
        return "image bytes", bytes(image)
    read = getattr(image, "read", None)
    if read is None:
        raise InputError(
            "an image is a path, a URL, a PIL image, an array or tensor, bytes or a file object; "
            f"got {type(image).__name__}"
        )
    content, name = read(), getattr(image, "name", None)
    name = name if isinstance(name, str) else "image file object"
    if not isinstance(content, bytes):
        raise InputError(f"{name}: the file object gives text; open the file in binary mode")
    return name, content


def _is_tensor(image: object) -> TypeGuard[Tensor]:
    """Without importing torch: whoever holds a tensor has imported it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(image, torch.Tensor)


def _check_size(pixels: int, name: str) -> None:
    if pixels > LARGEST:
        raise InputError(f"{name} is more than {LARGEST:,} pixels; scale the image down first")


def _empty(name: str | Path) -> InputError:
    return InputError(f"{name}: the file is empty; download or export the image again")

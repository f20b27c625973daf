"""What a user may name as a video: a file, a camera, a stream, or the URL of a file."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from ovarnet.errors import InputError
from ovarnet.io.download import download_to, is_url, url_name
from ovarnet.io.images import readable_formats

SUFFIXES = (
    ".mp4",
    ".m4v",
    ".mov",
    ".avi",
    ".mkv",
    ".webm",
    ".mpg",
    ".mpeg",
    ".ts",
    ".mts",
    ".wmv",
    ".flv",
    ".3gp",
    ".ogv",
)
"""Names of video files that a pattern means; a file given by itself may have any name."""

CAMERA = re.compile(r"camera:(\d+)")
STREAM = re.compile(r"(rtsps?|rtmp|udp|tcp)://", re.IGNORECASE)
VIDEO_BYTES, VIDEO_SECONDS = 2_000_000_000, 3600.0
"""Limits of the download of a video file."""


def camera_number(source: object) -> int | None:
    """The number of the camera that `source`, such as "camera:0", names; None for anything else."""
    match = CAMERA.fullmatch(source) if isinstance(source, str) else None
    return int(match[1]) if match else None


def is_live(source: object) -> bool:
    """Whether `source` is a camera or a stream, which ends when the user says so."""
    return camera_number(source) is not None or (
        isinstance(source, str) and STREAM.match(source) is not None
    )


def is_video(source: object) -> bool:
    """Whether the name alone says that `source` is a video."""
    return is_live(str(source)) or str(source).lower().endswith(SUFFIXES)


def shown_name(source: str | Path) -> str:
    """The source as it is shown and stored: without the user and password of a stream's address."""
    return re.sub(r"^(\w+://)[^/@]*@", r"\1", str(source))


def file_name(source: str | Path) -> str:
    """A name for the results: ``clip.mp4``, ``camera_0``, or the file in an address."""
    if camera_number(source) is not None:
        return str(source).replace(":", "_")
    if is_live(source) or is_url(source):
        return url_name(shown_name(source))
    return Path(source).name


@contextmanager
def local_file(source: str | Path) -> Iterator[Path]:
    """A video file on this machine: the source itself, or its download, deleted at the end.

    Raises:
        InputError: missing, empty, a folder, an image, or a URL that cannot be downloaded.
    """
    if not is_url(source):
        _check(Path(source))
        yield Path(source)
        return
    with tempfile.TemporaryDirectory(prefix="ovarnet-") as folder:
        path = Path(folder) / "video"
        with path.open("wb") as file:
            download_to(file, str(source), VIDEO_BYTES, VIDEO_SECONDS)
        yield path


def _check(path: Path) -> None:
    try:
        if not path.stat().st_size:
            raise InputError(f"{path}: the file is empty; record or download the video again")
        with path.open("rb"):
            pass
    except IsADirectoryError:
        raise InputError(
            f'{path}: is a folder; give video files, or a pattern such as "{path}/*.mp4"'
        ) from None
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not the path of a file ({error}); check the path") from None
    if _is_image(path):
        raise InputError(f"{path}: is an image, not a video; `ovarnet detect` reads images")


def _is_image(path: Path) -> bool:
    """By content; an animated GIF is a video."""
    try:
        with Image.open(path, formats=readable_formats()) as image:
            return getattr(image, "n_frames", 1) == 1
    except Exception:  # whatever a decoder raises at data of another kind
        return False

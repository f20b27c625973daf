"""Writes RGB frames as an MP4 file with OpenCV."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from ovarnet.errors import InputError

CODEC = "mp4v"
"""MPEG-4 part 2: the pip wheels of OpenCV can write no H.264."""


class VideoWriter:
    """Takes frames; use `write_video`.

    Attributes:
        path: the file that is written to.
        frames: how many were written.
    """

    def __init__(self, path: Path, rate: float):
        self.path, self.rate, self.frames = path, rate, 0
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)

    def write(self, image: np.ndarray) -> None:
        """Append a frame.

        Args:
            image: (H, W, 3) uint8 RGB, all of one size; an odd last row or column is cut off, which
                the codec cannot store.
        """
        height, width = (side - side % 2 for side in image.shape[:2])
        if self._writer is None:
            self._size = (width, height)
            self._writer = cv2.VideoWriter(
                str(self.path),
                cv2.CAP_FFMPEG,
                cv2.VideoWriter.fourcc(*CODEC),
                self.rate,
                self._size,
            )
        if (width, height) != self._size:
            image = cv2.resize(image, self._size)
        self._writer.write(cv2.cvtColor(image[: self._size[1], : self._size[0]], cv2.COLOR_RGB2BGR))
        self.frames += 1

    def close(self) -> None:
        """Write the end of the file."""
        if self._writer is not None:
            self._writer.release()


@contextmanager
def write_video(path: str | Path, rate: float) -> Iterator[VideoWriter]:
    """Write a video; the file appears, or is replaced, only when it is complete.

    Args:
        path: ends in .mp4; missing folders are made.
        rate: frames per second.

    Raises:
        InputError: OpenCV has not written all frames, as on a full disk.
    """
    path = Path(path)
    # OpenCV takes the format from the end of the name, so the folder is what is marked as a part
    folder = path.with_name(f"{path.name}.{os.getpid()}.part")
    folder.mkdir(parents=True, exist_ok=True)
    writer = VideoWriter(folder / "video.mp4", rate)
    try:
        yield writer
        writer.close()
        _check(writer, path)
        os.replace(writer.path, path)
    finally:
        writer.close()
        shutil.rmtree(folder, ignore_errors=True)


def _check(writer: VideoWriter, path: Path) -> None:
    """OpenCV reports no error while it writes."""
    capture = cv2.VideoCapture(str(writer.path), cv2.CAP_FFMPEG)
    frames = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
    capture.release()
    if frames != writer.frames:
        raise InputError(
            f"{path}: only {frames:,} of {writer.frames:,} frames could be written; the disk may "
            "be full, choose another --output"
        )

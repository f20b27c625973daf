"""Frames of a video file, a camera or a stream, read by OpenCV."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ovarnet.errors import InputError
from ovarnet.video.sources import camera_number, is_live, local_file, shown_name

DEFAULT_RATE, HIGHEST_RATE = 25.0, 240.0
"""Frames per second where a source gives none, and where what it gives cannot be believed."""
LIVE_TIMEOUT_MS = 10_000
"""Longest wait for a stream to open, and for its next frame."""
MISSING_SHARE = 0.1
"""Containers may state the number of frames roughly; what lacks more than this is truncated."""


@dataclass(eq=False)
class Frame:
    """One frame.

    Attributes:
        index: in the video, from 0, counting those that were passed over.
        seconds: since the first frame; of a camera or stream by the clock of this machine.
        image: (H, W, 3) uint8 RGB.
    """

    index: int
    seconds: float
    image: np.ndarray


class Video:
    """An open video; use `open_video`.

    Attributes:
        name: as it is shown.
        is_live: whether it is a camera or a stream.
        rate: frames per second.
        frame_count: as the file states it; None where unknown.
        frames_read: how many there were so far, counting those that were passed over.
    """

    def __init__(self, capture: cv2.VideoCapture, name: str, is_live: bool):
        self._capture = capture
        self._newest: _NewestFrame | None = None
        self.name, self.is_live = name, is_live
        rate, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
        is_known = 0 < rate <= HIGHEST_RATE
        self.rate = float(rate) if is_known else DEFAULT_RATE
        self.frame_count = int(count) if is_known and 0 < count < 1e9 and not is_live else None
        self.frames_read = 0

    def frames(self, every: int = 1) -> Iterator[Frame]:
        """Read the frames 0, `every`, 2 * `every`, ...

        Of a camera or stream, the newest frame is taken that is at least `every` after the last: a
        slow reader misses frames, it never lags behind.

        Raises:
            InputError: not a single frame can be read.
        """
        yield from self._live(every) if self.is_live else self._recorded(every)
        if not self.frames_read:
            raise InputError(
                f"{self.name}: no frame can be read; the video is damaged, empty, or of a codec "
                "that OpenCV lacks: convert it to MP4 (H.264)"
            )

    def close(self) -> None:
        """Release the source."""
        if self._newest is not None:
            self._newest.stop()
        self._capture.release()

    @property
    def missing(self) -> str | None:
        """After the last frame: a line that says how many of the stated frames are missing."""
        count, read = self.frame_count, self.frames_read
        if count is None or read >= (1 - MISSING_SHARE) * count:
            return None
        return (
            f"{self.name}: ends after {read:,} of {count:,} frames; the file is truncated or "
            "damaged, and the results are those of its beginning"
        )

    def _recorded(self, every: int) -> Iterator[Frame]:
        while self._capture.grab():  # decodes; retrieve converts what is wanted
            index = self.frames_read
            self.frames_read += 1
            if index % every == 0:
                is_read, image = self._capture.retrieve()
                if is_read:
                    yield Frame(index, index / self.rate, _rgb(image))

    def _live(self, every: int) -> Iterator[Frame]:
        self._newest, start, index = _NewestFrame(self._capture), time.monotonic(), 0
        while (found := self._newest.wait_for(index)) is not None:
            number, image = found
            self.frames_read = number + 1
            yield Frame(number, time.monotonic() - start, _rgb(image))
            index = number + every


class _NewestFrame:
    """Reads a live source in a thread of its own and keeps the last frame."""

    def __init__(self, capture: cv2.VideoCapture):
        self._capture = capture
        self._changed = threading.Condition()
        self._index = -1
        self._image: np.ndarray | None = None
        self._is_over = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait_for(self, index: int) -> tuple[int, np.ndarray] | None:
        """The newest frame once it is number `index` or later; None at the end of the source."""
        with self._changed:
            # woken now and then, so that Ctrl-C is noticed
            while self._index < index and not self._is_over:
                self._changed.wait(0.2)
            if self._image is None or self._index < index:
                return None
            return self._index, self._image

    def stop(self) -> None:
        """End the thread; a read that hangs is left behind."""
        with self._changed:
            self._is_over = True
        self._thread.join(LIVE_TIMEOUT_MS / 1000)

    def _read(self) -> None:
        while not self._is_over:
            is_read, image = self._capture.read()
            with self._changed:
                if is_read:
                    self._index, self._image = self._index + 1, image
                else:
                    self._is_over = True
                self._changed.notify_all()


@contextmanager
def open_video(source: str | Path) -> Iterator[Video]:
    """Open a video.

    Args:
        source: a file of any name; "camera:0" for the first camera; an rtsp, rtmp, udp or tcp
            address of a stream; or the http or https URL of a file, which is downloaded first (up
            to 2 GB).

    Raises:
        InputError: missing, empty, an image, no video, a camera or stream that does not answer.
    """
    if is_live(source):
        with _opened(_live_capture(str(source)), shown_name(source), is_live=True) as video:
            yield video
        return
    with local_file(source) as path:
        with _quiet():
            capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        with _opened(capture, shown_name(source), is_live=False) as video:
            yield video


def _live_capture(source: str) -> cv2.VideoCapture:
    camera = camera_number(source)
    with _quiet():
        if camera is not None:
            return cv2.VideoCapture(camera)
        limits = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            LIVE_TIMEOUT_MS,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            LIVE_TIMEOUT_MS,
        ]
        return cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits)


@contextmanager
def _opened(capture: cv2.VideoCapture, name: str, is_live: bool) -> Iterator[Video]:
    if not capture.isOpened():
        capture.release()
        raise InputError(_refusal(name))
    video = Video(capture, name, is_live)
    try:
        with _quiet():
            yield video
    finally:
        video.close()


def _refusal(name: str) -> str:
    if camera_number(name) is not None:
        return f"{name}: no such camera, or another program uses it; cameras count from camera:0"
    if is_live(name):
        return (
            f"{name}: the stream does not answer; check the address, user and password, and that "
            "this machine reaches it"
        )
    return (
        f"{name}: not a video that can be read; it is no video, truncated, or of a kind that "
        "OpenCV lacks: convert it to MP4 (H.264)"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the lines that OpenCV and FFmpeg print about damaged data; errors say it."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # read once, at the first video
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def _rgb(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

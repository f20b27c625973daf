"""Frames of videos that the tests write, whole and damaged, and of live sources."""

import socket
import subprocess
import sys
import threading
import time

import cv2
import numpy as np
import pytest
from PIL import Image
from small_videos import grey_frames, write_frames
from web_server import answer, web_server

from ovarnet.errors import InputError
from ovarnet.video import reader
from ovarnet.video.reader import Video, open_video


def read(source, every=1):
    with open_video(source) as video:
        return [
            (frame.index, round(frame.seconds, 3), int(frame.image[0, 0, 0]))
            for frame in video.frames(every)
        ]


def refusal(source):
    with pytest.raises(InputError) as caught:
        read(source)
    return str(caught.value)


@pytest.fixture
def clip(tmp_path):
    """Ten frames a second; 5 frames with the grey values 0, 20, ..., 80, without loss."""
    return write_frames(tmp_path / "clip.mkv", grey_frames(5))


def test_all_frames_and_each_second_one(clip):
    assert read(clip) == [(0, 0.0, 0), (1, 0.1, 20), (2, 0.2, 40), (3, 0.3, 60), (4, 0.4, 80)]
    assert read(clip, every=2) == [(0, 0.0, 0), (2, 0.2, 40), (4, 0.4, 80)]
    assert read(clip, every=9) == [(0, 0.0, 0)]


def test_what_a_file_says_of_itself(clip):
    with open_video(clip) as video:
        assert (video.name, video.rate, video.frame_count) == (str(clip), 10.0, 5)
        assert not video.is_live
        list(video.frames())
        assert (video.frames_read, video.missing) == (5, None)


def test_frames_are_rgb(tmp_path):
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 250
    with open_video(write_frames(tmp_path / "red.avi", [red])) as video:
        (frame,) = video.frames()
    assert frame.image.shape == (48, 64, 3)
    assert frame.image.flags.c_contiguous
    assert abs(frame.image[20, 20].astype(int) - [250, 0, 0]).max() < 8


def test_the_content_counts_not_the_name(clip, tmp_path):
    for name in ("clip.jpg", "clip.txt", "clip"):
        other = tmp_path / name
        other.write_bytes(clip.read_bytes())
        assert len(read(other)) == 5


def test_an_animation_is_a_video(tmp_path):
    frames = [Image.new("L", (16, 16), value) for value in (0, 255)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=100)
    assert [row[2] for row in read(tmp_path / "a.gif")] == [0, 255]


def test_a_url_of_a_file(clip):
    with web_server({"/clip.mkv": answer(clip.read_bytes(), kind="video/x-matroska")}) as address:
        assert len(read(f"{address}/clip.mkv")) == 5


def test_no_video(tmp_path):
    (tmp_path / "text.mp4").write_text("hello " * 100)
    whole = write_frames(tmp_path / "whole.mp4", grey_frames(5)).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])  # its index is at the end
    for name in ("text.mp4", "cut.mp4"):
        assert refusal(tmp_path / name) == (
            f"{tmp_path / name}: not a video that can be read; it is no video, truncated, or of a "
            "kind that OpenCV lacks: convert it to MP4 (H.264)"
        )


def test_decoders_print_nothing_about_damage(tmp_path):
    """In a process of its own, since FFmpeg asks for its level of noise once."""
    whole = write_frames(tmp_path / "whole.mp4", grey_frames(5)).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    code = f"""
from ovarnet.video.reader import open_video
try:
    with open_video({str(tmp_path / "cut.mp4")!r}):
        pass
except ValueError:
    print("refused")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("refused\n", "")


def test_a_truncated_file_gives_its_beginning_and_says_so(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (20, 48, 64, 1), dtype=np.uint8)
    path = write_frames(tmp_path / "clip.mkv", list(noise.repeat(3, axis=3)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with open_video(path) as video:
        frames = len(list(video.frames()))
        assert 5 < frames < 15
        assert video.missing == (
            f"{path}: ends after {frames} of 20 frames; the file is truncated or damaged, and the "
            "results are those of its beginning"
        )


class Capture:
    """Stands in for cv2.VideoCapture of a live source; hands out as many frames as are allowed."""

    def __init__(self, frames, rate=30.0, allowed=10**6):
        self.frames, self.rate = iter(frames), rate
        self.allowed, self.asked = threading.Semaphore(allowed), 0
        self.is_released = False

    def get(self, what):
        return {cv2.CAP_PROP_FPS: self.rate}.get(what, -1.0)

    def isOpened(self):  # noqa: N802
        return True

    def read(self):
        self.asked += 1
        self.allowed.acquire()
        image = next(self.frames, None)
        return image is not None, image

    def release(self):
        self.is_released = True

    def allow(self, count):
        """Allows more frames; returns when all of them are taken and the next one is waited for."""
        asked = self.asked + count
        self.allowed.release(count)
        while self.asked < asked:
            time.sleep(0.001)


def test_a_camera_gives_the_newest_frame_to_a_slow_reader(monkeypatch):
    """The reader is busy with frame 0 while frames 1 to 3 come, and with frame 3 while 4 and 5."""
    capture, opened = Capture(grey_frames(6), allowed=1), []
    monkeypatch.setattr(reader.cv2, "VideoCapture", lambda *a: opened.append(a) or capture)
    seen, coming = [], iter([3, 2])
    with open_video("camera:1") as video:
        assert video.is_live
        assert (video.name, video.rate, video.frame_count) == ("camera:1", 30.0, None)
        for frame in video.frames():
            seen.append((frame.index, int(frame.image[0, 0, 0])))
            while capture.asked < frame.index + 2:
                time.sleep(0.001)
            count = next(coming, None)
            if count is None:
                capture.allowed.release()  # the end
            else:
                capture.allow(count)
    assert opened == [(1,)]
    assert seen == [(0, 0), (3, 60), (5, 100)]
    assert video.missing is None
    assert capture.is_released


def test_every_of_a_camera_is_the_least_distance(monkeypatch):
    """Frames 1 to 4 come while the reader has frame 0, then 5 and 6, and the end."""
    capture, coming = Capture(grey_frames(7), allowed=1), iter([4, 3])
    monkeypatch.setattr(reader.cv2, "VideoCapture", lambda *a: capture)
    indices = []
    with open_video("camera:0") as video:
        for frame in video.frames(every=4):
            indices.append(frame.index)
            while capture.asked < frame.index + 2:
                time.sleep(0.001)
            capture.allowed.release(next(coming))
            while frame.index == 0 and capture.asked < 6:
                time.sleep(0.001)
    assert indices == [0, 4]


def test_a_camera_that_the_reader_leaves_is_released(monkeypatch):
    capture = Capture(grey_frames(9))
    monkeypatch.setattr(reader.cv2, "VideoCapture", lambda *a: capture)
    threads = threading.active_count()
    with open_video("camera:0") as video:
        frames = video.frames()
        next(frames)
    assert capture.is_released
    assert threading.active_count() == threads


def test_a_camera_without_frames(monkeypatch):
    monkeypatch.setattr(reader.cv2, "VideoCapture", lambda *a: Capture([]))
    assert refusal("camera:0").startswith("camera:0: no frame can be read; the video is damaged")


def test_rates_that_cannot_be_believed():
    for rate in (0.0, -1.0, float("nan"), 1000.0):
        assert Video(Capture([], rate), "x", is_live=False).rate == 25.0


def test_no_such_camera_and_no_such_stream():
    assert refusal("camera:99").startswith("camera:99: no such camera, or another program uses it")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert refusal(f"rtsp://me:secret@127.0.0.1:{port}/live") == (
        f"rtsp://127.0.0.1:{port}/live: the stream does not answer; check the address, user and "
        "password, and that this machine reaches it"
    )


def test_a_stream_over_the_network(tmp_path):
    """A transport stream sent by a plain socket; its end is the end of the video."""
    content = write_frames(tmp_path / "a.ts", grey_frames(10), rate=25.0).read_bytes()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def send():
            connection, _ = server.accept()
            with connection:
                connection.sendall(content)

        thread = threading.Thread(target=send)
        thread.start()
        seen = read(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert seen
    assert all(abs(value - 20 * index) < 8 for index, _, value in seen)

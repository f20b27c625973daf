"""Videos are written whole or not at all."""

import pytest
from small_videos import grey_frames

from ovarnet.errors import InputError
from ovarnet.video.reader import open_video
from ovarnet.video.writer import VideoWriter, write_video


def test_frames_come_back(tmp_path):
    path = tmp_path / "new/out.mp4"
    with write_video(path, 12.5) as writer:
        for image in grey_frames(5):
            writer.write(image)
        assert not path.exists()
    assert list(path.parent.iterdir()) == [path]
    with open_video(path) as video:
        values = [int(frame.image[20, 20, 1]) for frame in video.frames()]
        assert (video.rate, video.frame_count) == (12.5, 5)
    assert all(abs(value - 20 * index) < 8 for index, value in enumerate(values))


def test_colours_are_rgb_and_odd_sides_are_cut(tmp_path):
    image = grey_frames(1, height=49, width=65)[0]
    image[..., 0] = 250
    with write_video(tmp_path / "out.mp4", 10) as writer:
        writer.write(image)
    with open_video(tmp_path / "out.mp4") as video:
        (frame,) = video.frames()
    assert frame.image.shape == (48, 64, 3)
    assert abs(frame.image[20, 20].astype(int) - [250, 0, 0]).max() < 12


def test_a_frame_of_another_size_is_brought_to_that_of_the_first(tmp_path):
    with write_video(tmp_path / "out.mp4", 10) as writer:
        writer.write(grey_frames(1)[0])
        writer.write(grey_frames(1, height=96, width=128)[0])
        assert writer.frames == 2


def test_what_is_interrupted_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "out.mp4"
    path.write_bytes(b"old")

    def interrupted():
        with write_video(path, 10) as writer:
            writer.write(grey_frames(1)[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


def test_frames_that_opencv_drops_silently_are_noticed(tmp_path, monkeypatch):
    class FullDisk(VideoWriter):
        def write(self, image):
            super().write(image)
            self.frames += 1  # as if one more had been handed over

    monkeypatch.setattr("ovarnet.video.writer.VideoWriter", FullDisk)
    with pytest.raises(InputError) as caught, write_video(tmp_path / "out.mp4", 10) as writer:
        writer.write(grey_frames(1)[0])
    assert str(caught.value) == (
        f"{tmp_path / 'out.mp4'}: only 1 of 2 frames could be written; the disk may be full, "
        "choose another --output"
    )
    assert list(tmp_path.iterdir()) == []

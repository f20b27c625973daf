"""Names of videos, and files that are none."""

from pathlib import Path

import pytest
from PIL import Image
from web_server import answer, web_server

from ovarnet.errors import InputError
from ovarnet.video.sources import (
    camera_number,
    file_name,
    is_live,
    is_video,
    local_file,
    shown_name,
)

STREAM = "rtsp://me:secret@10.0.0.7:554/live/door?channel=1"


def test_cameras_and_streams():
    assert [camera_number(name) for name in ("camera:0", "camera:12", "camera:", "x", 0)] == [
        0,
        12,
        None,
        None,
        None,
    ]
    live = ("camera:0", STREAM, "RTSPS://x/y", "udp://127.0.0.1:5000", "tcp://x:1", "rtmp://x/y")
    assert all(is_live(name) for name in live)
    assert not any(is_live(name) for name in ("clip.mp4", "https://x.org/a.mp4", Path("camera:0")))


def test_what_is_a_video_by_its_name():
    assert all(is_video(name) for name in (Path("a.MP4"), "https://x.org/a.webm", STREAM))
    assert is_video(Path("camera:0"))
    assert not any(is_video(name) for name in (Path("a.jpg"), "https://x.org/a.png", Path("mp4")))


def test_names_without_password():
    assert shown_name(STREAM) == "rtsp://10.0.0.7:554/live/door?channel=1"
    assert shown_name(Path("a@b.mp4")) == "a@b.mp4"
    names = {
        "camera:1": "camera_1",
        STREAM: "door",
        "tcp://me:secret@10.0.0.7:5000": "10.0.0.7_5000",
        "https://x.org/clips/a%20b.mp4?x=1": "a b.mp4",
        Path("clips/a.b.mp4"): "a.b.mp4",
    }
    assert {name: file_name(name) for name in names} == names


def refusal(path):
    with pytest.raises(InputError) as caught, local_file(path):
        pass
    return str(caught.value)


def test_files_that_are_no_video(tmp_path):
    (tmp_path / "empty.mp4").touch()
    Image.new("RGB", (4, 4)).save(tmp_path / "photo.jpg")
    (tmp_path / "photo.jpg").rename(tmp_path / "photo.mp4")
    for name, told in {
        "missing.mp4": "no such file; check the path",
        "empty.mp4": "the file is empty; record or download the video again",
        "photo.mp4": "is an image, not a video; `ovarnet detect` reads images",
        "x" * 300: "cannot be read (File name too long); check the path",
        "a\0b": "not the path of a file (embedded null byte); check the path",
    }.items():
        assert refusal(tmp_path / name) == f"{tmp_path / name}: {told}"
    assert refusal(tmp_path) == (
        f'{tmp_path}: is a folder; give video files, or a pattern such as "{tmp_path}/*.mp4"'
    )


def test_an_animated_gif_and_a_file_of_any_content_are_left_to_the_decoder(tmp_path):
    frames = [Image.new("L", (4, 4), value) for value in (0, 255)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    (tmp_path / "b.txt").write_text("text")
    for name in ("a.gif", "b.txt"):
        with local_file(tmp_path / name) as path:
            assert path == tmp_path / name


def test_a_url_is_downloaded_and_deleted():
    with web_server({"/a.mp4": answer(b"content", kind="video/mp4")}) as address:
        with local_file(f"{address}/a.mp4") as path:
            assert path.read_bytes() == b"content"
        assert not path.exists()
        assert "404 Not Found" in refusal(f"{address}/b.mp4")

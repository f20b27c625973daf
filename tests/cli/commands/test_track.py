"""`ovarnet track` end to end, with a model whose scores are known."""

import itertools
import json
import math
import time

import numpy as np
import pytest
from small_videos import write_frames
from spot_model import SIDE, STEP, spot_frames, spot_predictor

import ovarnet
from ovarnet.cli import main as cli
from ovarnet.modeling.predictor import Predictor
from ovarnet.video import reader
from ovarnet.video.reader import open_video

VALUES = [210, 220, 230, 240]  # embeddings 1, 2, 3, 4
WORDS = ("--categories", "mug, car", "--attributes", "red, old")


@pytest.fixture(autouse=True)
def model(monkeypatch):
    monkeypatch.setitem(
        ovarnet.__dict__, "load", lambda name, proposer=None, device="auto": spot_predictor()
    )


@pytest.fixture
def clip(tmp_path):
    return write_frames(tmp_path / "in/clip.mkv", spot_frames(VALUES))


def track(*arguments) -> int:
    return cli.main(["track", *map(str, arguments)])


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def mean(numbers):
    return round(sum(numbers) / len(numbers), 4)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_video_frames_and_tracks(clip, tmp_path, capsys):
    out = tmp_path / "new/out"
    assert track(clip, *WORDS, "--output", out) == 0
    assert names(out) == ["clip.jsonl", "clip.mp4", "clip.tracks.json"]

    frames = lines(out / "clip.jsonl")
    assert len(frames) == 4
    assert frames[2] == {
        "frame": 2,
        "seconds": 0.2,
        "track_ids": [1],
        "boxes": [[8 + 2 * STEP, 8, 8 + 2 * STEP + SIDE, 8 + SIDE]],
        "scores": [round(math.sqrt(sigmoid(3)), 4)],
        "category": ["mug"],
        "category_scores": [
            [mean([sigmoid(e) for e in (1, 2, 3)]), mean([sigmoid(e - 1) for e in (1, 2, 3)])]
        ],
        "attribute_scores": [
            [mean([sigmoid(e) for e in (1, 2, 3)]), mean([sigmoid(e - 1) for e in (1, 2, 3)])]
        ],
    }
    high, low = (mean([sigmoid(e - w) for e in (1, 2, 3, 4)]) for w in (0, 1))
    assert json.loads((out / "clip.tracks.json").read_text()) == {
        "file": str(clip),
        "width": 96,
        "height": 48,
        "frames": 4,
        "frames_per_second": 10.0,
        "every": 1,
        "categories": ["mug", "car"],
        "attributes": ["red", "old"],
        "tracks": [
            {
                "id": 1,
                "frames": 4,
                "first_frame": 0,
                "last_frame": 3,
                "first_seconds": 0.0,
                "last_seconds": 0.3,
                "category": "mug",
                "score": mean([math.sqrt(sigmoid(e)) for e in (1, 2, 3, 4)]),
                "category_scores": [high, low],
                "attribute_scores": [high, low],
            }
        ],
    }
    with open_video(out / "clip.mp4") as video:
        drawn = [frame.image for frame in video.frames()]
        assert video.rate == 10.0
    assert [image.shape for image in drawn] == [(640, 1280, 3)] * 4  # enlarged for the labels
    assert not np.array_equal(drawn[0], drawn[3])

    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith(f"{clip}: 1 track in 4 frames, ")
    assert printed[0].endswith(" frames per second)")
    assert printed[1] == f"  1 mug 0.94: red {high:.2f}, old {low:.2f}  (0.0 to 0.3 s, 4 frames)"
    assert printed[2] == f"written to {out}: clip.mp4, clip.jsonl, clip.tracks.json"


def test_some_of_the_frames(clip, tmp_path):
    assert track(clip, "--every", 2, "--output", tmp_path / "a") == 0
    assert [line["frame"] for line in lines(tmp_path / "a/clip.jsonl")] == [0, 2]
    with open_video(tmp_path / "a/clip.mp4") as video:
        assert (video.rate, video.frame_count) == (5.0, 2)
    assert track(clip, "--frames", 3, "--output", tmp_path / "b") == 0
    assert [line["frame"] for line in lines(tmp_path / "b/clip.jsonl")] == [0, 1, 2]


def test_a_bad_video_does_not_stop_the_others(clip, tmp_path, capsys):
    (tmp_path / "in/empty.mkv").touch()
    (tmp_path / "in/text.mp4").write_text("no video " * 50)
    assert track(tmp_path / "in/*", clip, "--output", tmp_path / "out") == 2
    error = capsys.readouterr().err.partition("error: ")[2].splitlines()
    assert error[0] == "2 of 3 videos could not be used to their end:"
    assert "empty.mkv: the file is empty" in error[1]
    assert "text.mp4: not a video that can be read" in error[2]
    assert names(tmp_path / "out") == ["clip.jsonl", "clip.mp4", "clip.tracks.json"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("missing.mp4", None, "no such file"),
        ("empty.mp4", b"", "the file is empty"),
        ("text.mp4", b"no video" * 99, "not a video that can be read"),
    ],
)
def test_one_bad_video_is_one_line_and_nothing_is_written(tmp_path, capsys, name, content, told):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert track(tmp_path / name, "--output", tmp_path / "out") == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {tmp_path / name}: {told}")
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_truncated_video_gives_what_it_has_and_says_so(tmp_path, capsys):
    noise = np.random.default_rng(0).integers(0, 140, (20, 48, 96, 1), dtype=np.uint8)
    path = write_frames(tmp_path / "clip.mkv", list(noise.repeat(3, axis=3)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert track(path, "--output", tmp_path / "out") == 2
    frames = len(lines(tmp_path / "out/clip.jsonl"))
    assert 5 < frames < 15
    error = capsys.readouterr().err
    assert f"{path}: ends after {frames} of 20 frames; the file is truncated or damaged" in error


def test_an_interrupted_run_leaves_nothing_that_looks_whole(clip, tmp_path, monkeypatch, capsys):
    detect, calls = Predictor.detect, []

    def interrupted(self, images, **options):
        calls.append(len(images))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return detect(self, images, **options)

    monkeypatch.setattr(Predictor, "detect", interrupted)
    assert track(clip, "--batch-size", 1, "--output", tmp_path / "out") == 130
    assert capsys.readouterr().err == "interrupted\n"
    assert names(tmp_path / "out") == []


class Camera:
    """Gives frames without end."""

    def __init__(self):
        self.frames = itertools.cycle(spot_frames(VALUES))

    def get(self, what):
        return 20.0 if what == reader.cv2.CAP_PROP_FPS else -1.0

    def isOpened(self):  # noqa: N802
        return True

    def read(self):
        time.sleep(0.01)
        return True, next(self.frames)

    def release(self):
        pass


def test_ctrl_c_ends_the_recording_of_a_camera(tmp_path, monkeypatch, capsys):
    capture, camera = reader.cv2.VideoCapture, Camera()
    monkeypatch.setattr(
        reader.cv2,
        "VideoCapture",
        lambda name, *more: camera if name == 0 else capture(name, *more),
    )
    detect, calls = Predictor.detect, []

    def interrupted(self, images, **options):
        calls.append(len(images))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return detect(self, images, **options)

    monkeypatch.setattr(Predictor, "detect", interrupted)
    assert track("camera:0", *WORDS, "--output", tmp_path / "out") == 0
    assert "camera:0: Ctrl-C ends the recording" in capsys.readouterr().err
    assert names(tmp_path / "out") == ["camera_0.jsonl", "camera_0.mp4", "camera_0.tracks.json"]
    assert len(lines(tmp_path / "out/camera_0.jsonl")) == 2
    assert calls == [1, 1, 1]


def test_a_video_is_never_replaced_by_its_result(tmp_path, capsys):
    clip = write_frames(tmp_path / "clip.mp4", spot_frames(VALUES))
    before = clip.read_bytes()
    assert track(clip, "--output", tmp_path) == 2
    assert "would replace this input; choose another --output folder" in capsys.readouterr().err
    assert clip.read_bytes() == before
    assert names(tmp_path) == ["clip.mp4"]


def test_detect_names_the_command_for_videos(clip, tmp_path, capsys):
    for source in (str(clip), "camera:0", "rtsp://me:secret@127.0.0.1/live"):
        assert cli.main(["detect", source, "--output", str(tmp_path / "out")]) == 2
        shown = source.replace("me:secret@", "")
        told = f"error: {shown}: is a video; `ovarnet track` reads videos, cameras and streams\n"
        assert capsys.readouterr().err == told
    assert not (tmp_path / "out").exists()


def test_what_has_the_same_name_is_kept_apart(clip, tmp_path):
    other = write_frames(tmp_path / "in/deep/clip.mkv", spot_frames(VALUES[:2]))
    assert track(clip, other, clip, "--output", tmp_path / "out") == 0
    assert [len(lines(tmp_path / f"out/{name}.jsonl")) for name in ("clip", "clip_2")] == [4, 2]
    assert len(names(tmp_path / "out")) == 6

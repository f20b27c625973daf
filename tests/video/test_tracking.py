"""Objects tracked through videos that the tests write, with scores worked out by hand."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from small_videos import write_frames
from spot_model import SIDE, STEP, spot_frames, spot_predictor

import ovarnet
from ovarnet.errors import InputError
from ovarnet.video.averages import TrackAverages
from ovarnet.video.reader import Frame, open_video
from ovarnet.video.tracking import track, track_frames

VALUES = [210, 220, 230, 240]  # embeddings 1, 2, 3, 4
WORDS = {"categories": ["mug", "car"], "attributes": ["red"]}


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def mean(numbers):
    return sum(numbers) / len(numbers)


@pytest.fixture
def clip(tmp_path):
    return write_frames(tmp_path / "clip.mkv", spot_frames(VALUES))


def test_one_track_with_the_means_of_its_frames(clip):
    frames = list(track(spot_predictor(), clip, **WORDS))
    assert [one.track_ids.tolist() for one in frames] == [[1]] * 4
    for index, one in enumerate(frames):
        assert (one.frame.index, one.frame.seconds) == (index, index / 10)
        left = 8 + STEP * index
        assert one.found.boxes.tolist() == [[left, 8, left + SIDE, 8 + SIDE]]
        so_far = range(1, index + 2)
        mug, car = mean([sigmoid(e) for e in so_far]), mean([sigmoid(e - 1) for e in so_far])
        assert one.found.category_scores.tolist() == [pytest.approx([mug, car], abs=1e-6)]
        assert one.found.attribute_scores.tolist() == [[pytest.approx(mug, abs=1e-6)]]
        assert one.found.scores.tolist() == [pytest.approx(math.sqrt(sigmoid(index + 1)))]


@pytest.mark.slow
def test_means_of_the_shipped_model_on_moving_crops_of_a_scene(tmp_path):
    """The averages equal the means of what `detect` gives for each frame alone."""
    scene = np.asarray(Image.open("ovarnet/examples/scene.jpg").convert("RGB"))
    height, width = scene.shape[0] // 2 * 2 - 8, scene.shape[1] // 2 * 2 - 16
    crops = [scene[step : step + height, 3 * step : 3 * step + width] for step in range(4)]
    path = write_frames(tmp_path / "scene.mkv", crops)
    model, words = ovarnet.load("scenes"), {"categories": ["heart", "tree", "apple"]}
    words["attributes"] = ["red", "blue"]

    with open_video(path) as video:
        alone = [model.detect(frame.image, **words) for frame in video.frames()]
    tracked = list(track(model, path, threshold=0.5, **words))
    rows: dict[int, list] = {}
    for one, found in zip(tracked, alone, strict=True):
        for row, number in enumerate(one.track_ids.tolist()):
            same = (found.boxes - one.found.boxes[row]).abs().amax(dim=1) < 1e-3
            assert same.sum() == 1
            rows.setdefault(number, []).append(found[same])
            for name in ("category_scores", "attribute_scores"):
                expected = torch.cat([getattr(frame, name) for frame in rows[number]]).mean(dim=0)
                assert torch.allclose(getattr(one.found[row], name)[0], expected, atol=1e-6)
    assert sorted(len(frames) for frames in rows.values())[-3:] == [4, 4, 4]


def test_every_second_frame(clip):
    frames = list(track(spot_predictor(), clip, every=2, **WORDS))
    assert [(one.frame.index, one.frame.seconds) for one in frames] == [(0, 0.0), (2, 0.2)]
    expected = mean([sigmoid(1), sigmoid(3)])
    assert frames[-1].found.category_scores[0, 0].item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("batch_size", [1, 3, 9])
def test_the_batch_size_changes_nothing(clip, batch_size):
    frames = list(track(spot_predictor(), clip, batch_size=batch_size, **WORDS))
    expected = list(track(spot_predictor(), clip, **WORDS))
    for one, other in zip(frames, expected, strict=True):
        assert one.track_ids.tolist() == other.track_ids.tolist()
        assert torch.equal(one.found.category_scores, other.found.category_scores)


def test_half_the_threshold_continues_a_track_and_frames_without_boxes_come_too(tmp_path):
    """Category logits 1, -1, -3 are detection scores of 0.86, 0.52 and 0.22."""
    values = [210, 190, None, 170]
    path = write_frames(tmp_path / "clip.mkv", spot_frames(values))
    options = {"categories": ["mug"], "attributes": [], "threshold": 0.8}
    frames = list(track(spot_predictor(), path, **options))
    assert [one.track_ids.tolist() for one in frames] == [[1], [1], [], []]
    assert frames[2].found.category_scores.shape == (0, 1)


def test_the_default_threshold_is_that_of_the_model(clip):
    model = spot_predictor()
    model.model.threshold = 1.0
    assert [len(one.found) for one in track(model, clip, **WORDS)] == [0] * 4


def test_words_encoded_once_and_averages_of_frames_of_any_origin():
    model, averages = spot_predictor(), TrackAverages()
    frames = [Frame(n, n / 5, image) for n, image in enumerate(spot_frames(VALUES))]
    words = model.encode_vocabulary(**WORDS)
    assert len(list(track_frames(model, frames, vocabulary=words, averages=averages))) == 4
    (only,) = averages.tracks.values()
    assert (only.frames, only.first_seconds, only.last_seconds) == (4, 0.0, 0.6)


def test_a_source_that_is_left_is_closed(clip):
    frames = track(spot_predictor(), clip, **WORDS)
    next(frames)
    frames.close()
    assert list(frames) == []


def test_wrong_arguments(clip, tmp_path):
    model = spot_predictor()
    words = model.encode_vocabulary(**WORDS)
    for options, told in (
        ({"every": 0}, "every is 0; it must be a whole number of at least 1"),
        ({"vocabulary": words, "categories": ["mug"]}, "not both"),
        ({"threshold": 2.0, **WORDS}, "threshold is 2.0; it must be from 0 to 1"),
        ({"categories": [], "attributes": []}, "no words to look for"),
    ):
        with pytest.raises(InputError, match=told):
            next(track(model, clip, **options))
    with pytest.raises(InputError, match="no such file"):
        next(track(model, tmp_path / "missing.mp4", **WORDS))


class EveryBoxIsSeven:
    """A tracker of the interface of supervision."""

    def __init__(self):
        self.seen = []

    def update(self, detections):
        self.seen.append(len(detections))
        detections.tracker_id = np.array([7] * len(detections), dtype=int)
        if len(self.seen) == 2:
            detections.tracker_id[:] = -1
        return detections


def test_another_tracker(tmp_path):
    path = write_frames(tmp_path / "clip.mkv", spot_frames([210, 220, None, 230]))
    tracker = EveryBoxIsSeven()
    frames = list(track(spot_predictor(), path, tracker=tracker, **WORDS))
    assert tracker.seen == [1, 1, 0, 1]
    assert [one.track_ids.tolist() for one in frames] == [[7], [], [], [7]]
    expected = mean([sigmoid(1), sigmoid(3)])
    assert frames[-1].found.category_scores[0, 0].item() == pytest.approx(expected, abs=1e-6)


def test_the_trackers_package_agrees(clip):
    """It numbers from 0, and from the second frame on."""
    trackers = pytest.importorskip("trackers")
    tracker = trackers.ByteTrackTracker(track_activation_threshold=0.3, high_conf_det_threshold=0.3)
    frames = list(track(spot_predictor(), clip, tracker=tracker, **WORDS))
    ids = [one.track_ids.tolist() for one in frames]
    assert ids[0] == []
    assert ids[1:] == [ids[1]] * 3
    assert len(ids[1]) == 1

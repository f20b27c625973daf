"""Numbers of boxes over hand-made frames, ten a second."""

import numpy as np
import pytest

from ovarnet.video.byte_track import LOST_SECONDS, NO_TRACK, ByteTrack

LEFT, RIGHT = [0, 0, 40, 40], [100, 0, 140, 40]
NONE = NO_TRACK


class Frames:
    """Hands frames to a tracker; the time goes on by a tenth of a second."""

    def __init__(self):
        self.tracker, self.seconds = ByteTrack(high_score=0.5), 0.0

    def __call__(self, *boxes, scores=None):
        self.seconds += 0.1
        array = np.array(boxes, dtype=np.float32).reshape(-1, 4)
        scores = np.full(len(array), 0.9) if scores is None else np.array(scores)
        return self.tracker.update(array, scores, self.seconds).tolist()


@pytest.fixture
def frames():
    return Frames()


def moved(box, by):
    return [box[0] + by, box[1], box[2] + by, box[3]]


def test_boxes_keep_their_number_whatever_their_order(frames):
    assert frames(LEFT, RIGHT) == [1, 2]
    assert frames(moved(RIGHT, 5), moved(LEFT, 5)) == [2, 1]
    assert frames(moved(LEFT, 10), moved(RIGHT, 10)) == [1, 2]


def test_a_later_object_is_numbered_when_a_second_frame_confirms_it(frames):
    assert frames(LEFT) == [1]
    assert frames(LEFT, RIGHT) == [1, NONE]
    assert frames(LEFT, RIGHT) == [1, 2]


def test_a_box_that_nothing_confirms_is_no_track_and_takes_no_number(frames):
    frames(LEFT)
    assert frames(LEFT, RIGHT) == [1, NONE]
    assert frames(LEFT) == [1]
    assert frames(LEFT, RIGHT) == [1, NONE]
    assert frames(LEFT, RIGHT) == [1, 2]


def test_a_low_score_continues_a_track_and_starts_none(frames):
    assert frames(LEFT, RIGHT, scores=[0.5, 0.49]) == [1, NONE]
    assert frames(LEFT, RIGHT, scores=[0.3, 0.49]) == [1, NONE]
    assert frames(LEFT, RIGHT, scores=[0.3, 0.49]) == [1, NONE]


def test_a_high_score_takes_the_track_before_a_low_one_that_fits_better(frames):
    frames(LEFT)
    assert frames(LEFT, moved(LEFT, 10), scores=[0.4, 0.6]) == [NONE, 1]


def test_a_low_score_must_overlap_by_half(frames):
    """40 wide, moved by 10: IoU 30 / 50 = 0.6; by 20: 20 / 60."""
    frames(LEFT, RIGHT)
    assert frames(moved(LEFT, 10), moved(RIGHT, 20), scores=[0.4, 0.4]) == [1, NONE]


def test_fast_motion_is_followed_once_its_speed_is_known(frames):
    """The box moves by half its width: IoU 20 / 60; at last the prediction is where it is."""
    numbers = [frames(moved(LEFT, 20 * step)) for step in range(8)]
    assert numbers == [[1]] * 8
    # a frame without the box: the track moves on
    frames()
    assert frames(moved(LEFT, 20 * 9)) == [1]


def test_a_box_far_from_every_track_starts_a_new_one(frames):
    frames(LEFT)
    assert frames(RIGHT) == [NONE]
    assert frames(RIGHT) == [2]


def test_a_track_is_found_again_within_a_second_and_not_later(frames):
    frames(LEFT)
    for _ in range(9):
        assert frames() == []
    assert LOST_SECONDS == 1
    assert frames(LEFT) == [1]
    for _ in range(11):
        frames()
    assert frames(LEFT) == [NONE]
    assert frames(LEFT) == [2]


def test_boxes_seconds_apart_are_still_consecutive():
    tracker, box = ByteTrack(0.5), np.array([LEFT], dtype=np.float32)
    numbers = [tracker.update(box, np.ones(1), 5.0 * step).tolist() for step in range(3)]
    assert numbers == [[1], [1], [1]]


def test_no_boxes_at_all(frames):
    assert frames() == frames() == []
    assert frames(LEFT) == [NONE]  # not the first frame

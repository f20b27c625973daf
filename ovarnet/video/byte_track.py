"""ByteTrack (Zhang et al., ECCV 2022): boxes of consecutive frames -> tracks.

Boxes of high score are matched to tracks first; those of low score then continue tracks that found
none, since an object that is half hidden scores low but has not gone. Categories play no part, so a
track survives a change of its best word.

Written here because the package `trackers` requires opencv-python, which replaces the headless
OpenCV and does not load on a machine without a display's libraries. Letters: N boxes, T tracks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import supervision as sv
from scipy.optimize import linear_sum_assignment

from ovarnet.video.motion import BoxMotion

NO_TRACK = -1
MIN_IOU = 0.2
"""Least IoU of a box and the place where a track expects it."""
MIN_IOU_LOW_SCORE = 0.5
"""The same for boxes of low score, many of which are no objects."""
LOST_SECONDS = 1.0
"""How long a track that finds no box is kept."""


@dataclass
class _Track:
    """One object; its number is NO_TRACK until a second frame confirms it."""

    motion: BoxMotion
    seen: float
    in_last_frame: bool = True
    number: int = NO_TRACK


class ByteTrack:
    """Gives boxes of the same object the same number.

    A track is confirmed, and numbered, in the second frame that shows it; in the first frame of a
    video, at once. A single box that nothing confirms is no track.

    Args:
        high_score: detection score from which on a box may start a track; boxes below only continue
            tracks.
    """

    def __init__(self, high_score: float):
        self.high_score = high_score
        self._tracks: list[_Track] = []
        self._started = False
        self._numbers = 0

    def update(self, boxes: np.ndarray, scores: np.ndarray, seconds: float) -> np.ndarray:
        """Take in the boxes of the next frame.

        Args:
            boxes: (N, 4) xyxy in pixels; N may be 0.
            scores: (N,) detection scores.
            seconds: time of the frame, later than that of the last one.

        Returns:
            (N,) int64 track numbers from 1 on, NO_TRACK for boxes of no confirmed track.
        """
        expected = {id(track): track.motion.predict() for track in self._tracks}
        numbers = np.full(len(boxes), NO_TRACK, dtype=np.int64)
        free = np.ones(len(boxes), dtype=bool)
        matched: set[int] = set()

        def match(tracks: list[_Track], rows: np.ndarray, min_iou: float) -> None:
            for track, row in _pairs(tracks, expected, boxes, rows, min_iou):
                self._continue(track, boxes[row], seconds)
                numbers[row], free[row] = track.number, False
                matched.add(id(track))

        high = scores >= self.high_score
        confirmed = [track for track in self._tracks if track.number != NO_TRACK]
        match(confirmed, np.flatnonzero(high), MIN_IOU)
        visible = [t for t in confirmed if t.in_last_frame and id(t) not in matched]
        match(visible, np.flatnonzero(~high), MIN_IOU_LOW_SCORE)
        new = [track for track in self._tracks if track.number == NO_TRACK]
        match(new, np.flatnonzero(high & free), MIN_IOU)

        self._drop_lost(matched, seconds)
        for row in np.flatnonzero(high & free):
            numbers[row] = self._start(boxes[row], seconds)
        self._started = True
        return numbers

    def _continue(self, track: _Track, box: np.ndarray, seconds: float) -> None:
        track.motion.correct(box)
        track.seen = seconds
        if track.number == NO_TRACK:
            track.number = self._next_number()

    def _start(self, box: np.ndarray, seconds: float) -> int:
        track = _Track(BoxMotion(box), seconds)
        if not self._started:
            track.number = self._next_number()
        self._tracks.append(track)
        return track.number

    def _next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _drop_lost(self, matched: set[int], seconds: float) -> None:
        for track in self._tracks:
            track.in_last_frame = id(track) in matched
        self._tracks = [
            track
            for track in self._tracks
            if track.in_last_frame
            or (track.number != NO_TRACK and seconds - track.seen <= LOST_SECONDS)
        ]


def _pairs(
    tracks: Sequence[_Track],
    expected: dict[int, np.ndarray],
    boxes: np.ndarray,
    rows: np.ndarray,
    min_iou: float,
) -> list[tuple[_Track, int]]:
    """The assignment of tracks to boxes with the largest sum of IoUs, each at least `min_iou`."""
    if not tracks or not len(rows):
        return []
    places = np.array([expected[id(track)] for track in tracks])
    iou = sv.box_iou_batch(places, boxes[rows])
    pairs = zip(*linear_sum_assignment(iou, maximize=True), strict=True)
    return [(tracks[t], int(rows[n])) for t, n in pairs if iou[t, n] >= min_iou]

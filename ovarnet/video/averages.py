"""Scores of a track: the means over its frames.

Letters: N boxes of a frame, T tracks, C category words, A attribute words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ovarnet.structures import Detections

FIELDS = ("scores", "category_scores", "attribute_scores")


@dataclass
class Track:
    """One object over the frames so far.

    Attributes:
        number: of the track, from 1.
        frames: how many frames it was seen in.
        first_frame: index in the video of the first of them.
        last_frame: of the last of them.
        first_seconds: time of the first of them.
        last_seconds: of the last of them.
        box: (4,) xyxy of the last of them.
        sums: sums over the frames of the detection score (), the category scores (C,) and the
            attribute scores (A,), float64.
    """

    number: int
    frames: int
    first_frame: int
    last_frame: int
    first_seconds: float
    last_seconds: float
    box: Tensor
    sums: dict[str, np.ndarray]


class TrackAverages:
    """Means over the frames of each track, up to the present one.

    Attributes:
        tracks: number -> Track, in the order of their first frames.
    """

    def __init__(self) -> None:
        self.tracks: dict[int, Track] = {}
        self._words: tuple[list[str], list[str]] = ([], [])

    def add(self, numbers: np.ndarray, found: Detections, index: int, seconds: float) -> Detections:
        """Take in the boxes of a frame.

        Args:
            numbers: (N,) track number of each box, no two the same.
            found: N boxes with the scores of this frame.
            index: of the frame in the video.
            seconds: of the frame.

        Returns:
            `found` with the category and attribute scores averaged over the frames of each track
            so far, this one included. `scores` stay those of the frame.
        """
        self._words = (found.categories, found.attributes)
        rows = {name: getattr(found, name).double().numpy() for name in FIELDS}
        for row, number in enumerate(numbers.tolist()):
            track = self.tracks.get(number)
            if track is None:
                track = self.tracks[number] = Track(
                    number,
                    0,
                    index,
                    index,
                    seconds,
                    seconds,
                    found.boxes[row],
                    dict.fromkeys(FIELDS, np.zeros(())),
                )
            track.frames += 1
            track.last_frame, track.last_seconds, track.box = index, seconds, found.boxes[row]
            for name in FIELDS:
                track.sums[name] = track.sums[name] + rows[name][row]
        means = self._means(numbers.tolist())
        return replace(
            found,
            category_scores=means["category_scores"].reshape(found.category_scores.shape),
            attribute_scores=means["attribute_scores"].reshape(found.attribute_scores.shape),
        )

    def detections(self) -> Detections:
        """One row for each of the T tracks: its last box, and means of all scores."""
        categories, attributes = self._words
        count, means = len(self.tracks), self._means(list(self.tracks))
        return Detections(
            torch.stack([track.box for track in self.tracks.values()])
            if count
            else torch.zeros(0, 4),
            means["scores"].reshape(count),
            means["category_scores"].reshape(count, len(categories)),
            means["attribute_scores"].reshape(count, len(attributes)),
            categories,
            attributes,
        )

    def _means(self, numbers: list[int]) -> dict[str, Tensor]:
        tracks = [self.tracks[number] for number in numbers]
        return {
            name: torch.tensor(
                np.array([track.sums[name] / track.frames for track in tracks]),
                dtype=torch.float32,
            )
            for name in FIELDS
        }

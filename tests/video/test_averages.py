"""Means over the frames of a track."""

import numpy as np
import pytest
import torch

from ovarnet.structures import Detections
from ovarnet.video.averages import TrackAverages


def found(*rows, categories=("mug", "car")):
    """Rows of x, score, category scores, attribute score; boxes are at x."""
    return Detections(
        torch.tensor([[x, 0, x + 10, 10] for x, *_ in rows], dtype=torch.float32).reshape(-1, 4),
        torch.tensor([score for _, score, *_ in rows]),
        torch.tensor([row[2][: len(categories)] for row in rows]).reshape(
            len(rows), len(categories)
        ),
        torch.tensor([[row[3]] for row in rows]).reshape(-1, 1),
        list(categories),
        ["red"],
    )


def test_scores_are_means_so_far_and_detection_scores_those_of_the_frame():
    averages = TrackAverages()
    first = averages.add(np.array([1]), found((0, 0.9, [0.8, 0.1], 1.0)), 0, 0.0)
    assert first.category_scores.tolist() == [pytest.approx([0.8, 0.1])]
    both = averages.add(
        np.array([2, 1]), found((50, 0.7, [0.2, 0.3], 0.5), (4, 0.6, [0.2, 0.9], 0.0)), 3, 0.3
    )
    assert both.scores.tolist() == pytest.approx([0.7, 0.6])
    assert both.category_scores.tolist() == [
        pytest.approx([0.2, 0.3]),
        pytest.approx([0.5, 0.5]),
    ]
    assert both.attribute_scores.tolist() == [[0.5], [0.5]]
    last = averages.add(np.array([1]), found((8, 0.3, [0.2, 0.8], 0.5)), 6, 0.6)
    assert last.category_scores.tolist() == [pytest.approx([0.4, 0.6])]
    assert last.best_category == ["car"]

    tracks = averages.detections()
    assert tracks.boxes.tolist() == [[8, 0, 18, 10], [50, 0, 60, 10]]
    assert tracks.scores.tolist() == pytest.approx([0.6, 0.7])
    assert tracks.attribute_scores.tolist() == [[0.5], [0.5]]
    spans = [
        (track.number, track.frames, track.first_frame, track.last_frame)
        for track in averages.tracks.values()
    ]
    assert spans == [(1, 3, 0, 6), (2, 1, 3, 3)]
    assert (averages.tracks[1].first_seconds, averages.tracks[1].last_seconds) == (0.0, 0.6)


def test_a_frame_without_boxes_and_words_of_one_kind():
    averages = TrackAverages()
    assert len(averages.add(np.zeros(0, dtype=int), found(), 0, 0.0)) == 0
    assert len(averages.detections()) == 0
    assert averages.detections().categories == ["mug", "car"]
    only = averages.add(np.array([1]), found((0, 0.9, [], 1.0), categories=()), 1, 0.1)
    assert only.category_scores.shape == (1, 0)
    assert averages.detections().category_scores.shape == (1, 0)


def test_a_mean_of_many_frames_is_exact():
    averages = TrackAverages()
    for index in range(100):
        row = found((0, 0.5, [0.1, 0.0], (index % 2) * 0.2))
        last = averages.add(np.array([1]), row, index, index / 10)
    assert last.category_scores[0, 0].item() == torch.tensor(0.1).item()
    assert last.attribute_scores.item() == pytest.approx(0.1, abs=1e-8)

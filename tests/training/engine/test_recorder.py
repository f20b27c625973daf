"""Curves of a run: how many points, what is kept of an earlier run, who writes."""

import json

import pytest
import torch

from ovarnet.training.engine.recorder import Recorder


def record(folder, iterations, start=0, **more):
    with Recorder(folder, iterations, start=start, **more) as recorder:
        for step in range(start + 1, iterations + 1):
            recorder.log(step, {"loss": torch.tensor(float(step)), "lr": 0.5})


def points(folder, name="loss"):
    return json.loads((folder / "history.json").read_text())[name]


@pytest.mark.parametrize(
    ("iterations", "steps"),
    [(3, [1, 2, 3]), (45, [*range(2, 46, 2), 45]), (401, [*range(20, 401, 20), 401])],
)
def test_a_curve_has_twenty_points_or_more_and_the_last(
    tmp_path, figure_of_curves, iterations, steps
):
    record(tmp_path, iterations)
    assert points(tmp_path) == [[step, step] for step in steps]
    assert points(tmp_path, "lr") == [[step, 0.5] for step in steps]
    assert (tmp_path / "curves.png").is_file()


def test_history_after_the_resumed_iteration_is_dropped(tmp_path):
    record(tmp_path, 4)
    with Recorder(tmp_path, 6, start=2) as recorder:
        recorder.log(3, {"loss": 30.0})
    assert points(tmp_path) == [[1, 1], [2, 2], [3, 30]]


def test_only_the_active_process_writes(tmp_path):
    record(tmp_path, 2, active=False)
    assert list(tmp_path.iterdir()) == []

"""Timing: the clock and the turns; seconds themselves are not tested."""

import time
from types import SimpleNamespace

import torch

from ovarnet.evaluation.speed import Stopwatch, Timer, compare


def test_medians_leave_out_the_runs_that_warm_up():
    watch = Stopwatch(torch.device("cpu"))
    watch.runs = [
        {"a": 100.0, "b": 100.0},
        {"a": 1.0, "b": 5.0},
        {"a": 2.0, "b": 0.5},
        {"a": 3.0, "b": 1.0},
    ]
    assert watch.medians(warm_up=1) == {"a": 2.0, "b": 1.0, "total": 4.0}  # totals 6, 2.5, 4


def test_contenders_run_by_turns():
    order = []

    def contender(name):
        def go(watch):
            order.append(name)
            with watch.part("work"):
                pass

        return go

    seconds = compare({name: contender(name) for name in "ab"}, torch.device("cpu"), runs=2)
    assert order == ["a", "b"] * 3
    assert {name: set(parts) for name, parts in seconds.items()} == {
        name: {"work", "total"} for name in "ab"
    }


def test_parts_of_one_name_add_up(monkeypatch):
    seconds = iter([0.0, 2.0, 10.0, 13.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(seconds))
    watch = Stopwatch(torch.device("cpu"))
    with watch.run():
        for _ in range(2):
            with watch.part("pooling"):
                pass
    assert watch.runs == [{"pooling": 5.0}]


def test_an_exported_model_runs_as_one_part():
    model = SimpleNamespace(
        run=lambda images: SimpleNamespace(embeddings=torch.ones(len(images), 2, 4)),
        classifier=lambda regions, words: torch.zeros(len(regions), len(words)),
    )
    boxes = torch.tensor([[0.0, 0, 4, 4], [4, 4, 8, 8]])
    watch = Stopwatch(torch.device("cpu"))
    with watch.run():
        found = Timer(torch.rand(3, 8, 8), boxes, (["mug"], ["red"])).onnx(model, watch)
    assert list(watch.runs[0]) == ["resize and graph", "scoring", "post-processing"]
    assert found.category_scores.tolist() == [[0.5], [0.5]]

import json

import pytest
import torch

from ovarnet.cli.main import main
from ovarnet.evaluation.speed import Stopwatch, calibrate, compare, random_boxes


def test_medians_leave_out_the_warm_runs():
    watch = Stopwatch(torch.device("cpu"))
    watch.runs = [
        {"a": 100.0, "b": 100.0},
        {"a": 1.0, "b": 5.0},
        {"a": 2.0, "b": 0.5},
        {"a": 3.0, "b": 1.0},
    ]
    assert watch.medians(1) == {"a": 2.0, "b": 1.0, "total": 4.0}  # totals 6, 2.5, 4


def test_boxes_lie_within_a_non_square_image_and_are_always_the_same():
    boxes = random_boxes(200, 50, 300)
    assert torch.equal(boxes, random_boxes(200, 50, 300))
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2] <= 300).all()
    assert (boxes[:, 3] <= 50).all()
    sides = (boxes[:, 2:] - boxes[:, :2]) / torch.tensor([300.0, 50.0])
    assert sides.min() >= 0.05 - 1e-5
    assert sides.max() <= 0.5 + 1e-5


def test_calibration_sets_the_statistics_of_one_pass():
    layer, values = torch.nn.BatchNorm1d(1).eval(), torch.tensor([[1.0], [5.0]])
    calibrate([layer], lambda: layer(values))
    assert layer.running_mean.item() == 3
    assert not layer.training
    assert layer(values).flatten().tolist() == pytest.approx([-2 / 8**0.5, 2 / 8**0.5], abs=1e-3)


@pytest.mark.slow
def test_benchmark_command(small_pictures, tmp_path, capsys):
    command = [
        "benchmark",
        "--towers",
        "ovarnet-scenes",
        "--size",
        "64",
        "96",
        "--boxes",
        "5",
        "--words",
        "3",
        "4",
        "--runs",
        "1",
    ]
    assert main([*command, "--output", str(tmp_path)]) == 0
    results = json.loads((tmp_path / "benchmark.json").read_text())
    parts, scoring = results["parts"], results["scoring"]["ovarnet-scenes"]
    assert set(parts["OvarNet ovarnet-scenes"]) == {
        "resize",
        "backbone",
        "RPN",
        "pooling",
        "scoring",
        "post-processing",
        "total",
    }
    assert set(parts["CLIP-Attr ovarnet-scenes"]) == {
        "proposer",
        "crops and encoder",
        "scoring",
        "post-processing",
        "total",
    }
    assert set(parts["torchvision fasterrcnn_resnet50_fpn"]) == {
        "resize",
        "backbone",
        "RPN",
        "box head",
        "total",
    }
    assert list(scoring) == ["80", "700", "5000", "50000"]
    assert "times as fast as torchvision" in capsys.readouterr().out


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


def test_benchmark_into_a_file_is_refused_before_any_work(tmp_path, capsys):
    (tmp_path / "afile").touch()
    assert main(["benchmark", "--output", str(tmp_path / "afile")]) == 2
    assert capsys.readouterr() == (
        "",
        f"error: {tmp_path / 'afile'}: is a file; --output needs a folder\n",
    )


def test_benchmark_refuses_no_runs(capsys):
    assert main(["benchmark", "--runs", "0"]) == 2
    assert "at least 1" in capsys.readouterr().err

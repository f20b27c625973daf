"""`ovarnet benchmark`."""

import argparse
import json

import pytest

from ovarnet.cli.commands.benchmark import PEER, design, table
from ovarnet.cli.main import main


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


def test_the_table_says_how_many_times_as_fast_ovarnet_is():
    results = {
        "parts": {
            "CLIP-Attr RN50": {"proposer": 1.0, "total": 3.0},
            "OvarNet RN50": {"backbone": 0.5, "total": 0.5},
            PEER: {"total": 1.0},
        },
        "scoring": {"RN50": {80: 0.001, 5000: 0.0123}},
    }
    lines = table(results, ["RN50"]).splitlines()
    assert lines[0].split() == ["CLIP-Attr", "RN50", "3.000", "s", "proposer", "1.000"]
    assert lines[3] == (
        "OvarNet RN50: 6.00 times as fast as CLIP-Attr RN50, 2.00 times as fast as " + PEER
    )
    assert lines[4] == "scoring, RN50: 80 words 1.0 ms, 5,000 words 12.3 ms"


def test_the_design_keeps_the_size_of_the_image():
    args = argparse.Namespace(size=[1088, 800], finest_stride=8, layers=2, window=14, boxes=7)
    settings = design(args, "ViT-B-16")
    assert (settings.short_side, settings.long_side) == ((800, 800), 1088)
    assert (settings.window, settings.proposals, settings.layers) == (14, 7, 2)
    assert settings.anchor_sizes == [32, 72, 160, 360]
    assert design(args, "RN50").window == 0

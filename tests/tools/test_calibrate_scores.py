"""What is chosen from right and wrong detections, and what is stored of it."""

import importlib.util
from pathlib import Path

import torch

TOOL = Path(__file__).parents[2] / "tools" / "calibrate_scores.py"
SPEC = importlib.util.spec_from_file_location("calibrate_scores", TOOL)
tool = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)


def test_the_best_threshold_by_hand(capsys):
    """Two of three boxes are found; at 0.5 precision is 2 / 2, at 0.2 it is 2 / 4."""
    scores = torch.tensor([0.9, 0.6, 0.3, 0.2])
    right = torch.tensor([True, True, False, False])
    assert tool.best_threshold(scores, right, 3) == 0.6
    line = next(row for row in capsys.readouterr().out.splitlines() if " 0.60 " in row)
    assert line.split() == ["0.60", "2", "100.0%", "66.7%", "80.0%", "100.0%", "of", "1"]


def test_the_nms_iou_of_the_highest_f1_by_hand(capsys):
    """Of four boxes two are found: 2 * 2 / (2 + 4), or 2 * 2 / (3 + 4) behind a wrong one."""
    one_wrong = tool.Searched(torch.tensor([0.5, 0.9, 0.7]), torch.tensor([True, True, False]))
    none = tool.Searched(torch.tensor([0.5, 0.9]), torch.tensor([True, True]))
    assert tool.best_nms_iou({0.6: one_wrong, 0.5: none, 0.4: none}, 4) == 0.5
    assert capsys.readouterr().out.splitlines() == [
        "NMS at IoU 0.6: highest F1 57.1%",
        "NMS at IoU 0.5: highest F1 66.7%",
        "NMS at IoU 0.4: highest F1 66.7%",
    ]


def test_the_result_is_stored_with_the_model(tmp_path):
    (tmp_path / "config.yaml").write_text("model: ovarnet\nthreshold: 0.65\n")
    tool.write_settings(tmp_path, tool.ScoreCalibration(1.23456, -0.5), 0.4, 0.3)
    assert (tmp_path / "config.yaml").read_text() == (
        "model: ovarnet\nthreshold: 0.4\nnms_iou: 0.3\nscore_calibration:\n- 1.2346\n- -0.5\n"
    )


def test_the_figure_is_drawn(tmp_path):
    scores = torch.tensor([0.0, 0.35, 1.0])
    tool.draw(tmp_path / "a.png", (scores, scores), torch.tensor([False, True, True]))
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"

"""The whole chain of the foundation on a tiny generated world, through the command line, as a user would run it."""

import json
from pathlib import Path

import pytest
import torch

import ovarnet
from ovarnet.checkpoint import load_checkpoint
from ovarnet.cli import main

CONFIGS = Path(__file__).parents[2] / "configs" / "scenes"


@pytest.mark.slow
def test_generate_train_detect_evaluate(tmp_path, capsys):
    world, runs = tmp_path / "world", tmp_path / "runs"
    assert main(["generate", "scenes", "--root", str(world), "--train", "24", "--val", "4", "--test", "6", "--captions", "2",
                 "--photos", "150", "--workers", "1"]) == 0
    common, short = f"root={world}", ["optimisation.batch_size=32", "optimisation.warmup=5", "optimisation.save_every=20"]
    assert main(["train", str(CONFIGS / "clip.yaml"), common, f"output={runs}/clip", "optimisation.iterations=40", *short]) == 0
    history = json.loads((runs / "clip" / "history.json").read_text())["contrastive"]
    assert history[-1][1] < history[0][1]

    tower = f"clip.pretrained={runs}/clip/checkpoint/clip.safetensors"
    assert main(["train", str(CONFIGS / "proposer.yaml"), f"detection.root={world}", f"output={runs}/proposer", tower,
                 "optimisation.iterations=4", "optimisation.batch_size=2", "optimisation.warmup=1"]) == 0
    assert main(["train", str(CONFIGS / "clip_attr_zero_shot.yaml"), common, f"output={runs}/zero", tower,
                 f"proposer={runs}/proposer/checkpoint"]) == 0

    folder = runs / "zero" / "checkpoint"
    calibration = load_checkpoint(folder).settings["calibration"]
    assert {kind: len(numbers) for kind, numbers in calibration.items()} == {"category": 2, "attribute": 2}
    model = ovarnet.load(folder, device="cpu")
    image = sorted((world / "images" / "test").glob("*.jpg"))[0]
    found = model.detect(str(image), boxes=[[10, 10, 60, 60]], categories=["car", "giraffe"], attributes=["red"])
    assert found.category_scores.shape == (1, 2) and found.attribute_scores.shape == (1, 1)
    again = model.detect(str(image), boxes=[[10, 10, 60, 60]], categories=["giraffe", "mug", "car"], attributes=[])
    assert torch.allclose(again.category_scores[:, [2, 0]], found.category_scores, atol=1e-6)

    assert main(["detect", str(image), "--model", str(folder), "--output", str(tmp_path / "out")]) == 0
    assert main(["evaluate", "--model", str(folder), "--dataset", "scenes", "--root", str(world), "--split", "test",
                 "--output", str(tmp_path / "evaluation")]) == 0
    assert "ovad" in capsys.readouterr().out.lower()
    assert json.loads((tmp_path / "evaluation" / "metrics.json").read_text())

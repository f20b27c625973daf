"""The whole chain from nothing in its smoke version, by the command a user types: every stage runs,
its loss falls, a report comes out."""

import json
import re
from pathlib import Path

import pytest
import torch

import ovarnet
from ovarnet.checkpoint import load_checkpoint
from ovarnet.cli.main import main
from ovarnet.scenes.chain.steps import MODELS

CONFIGS = Path(__file__).parents[3] / "configs" / "scenes"
TRAINED = ("clip", "proposer", "step_one", "step_two", "ovarnet")


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chain") / "out"
    assert (
        main(["reproduce", "scenes", "--quick", "--configs", str(CONFIGS), "--output", str(folder)])
        == 0
    )
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("stage", TRAINED)
def test_the_loss_falls(output, stage):
    values = [
        value
        for _, value in json.loads((output / "runs" / stage / "history.json").read_text())["total"]
    ]
    quarter = len(values) // 4
    assert quarter >= 4
    assert sum(values[-quarter:]) < sum(values[:quarter])


@pytest.mark.slow
def test_the_report_shows_every_stage(output):
    text = (output / "report" / "report.html").read_text()
    words = re.sub(r"<[^>]*>", " ", text)
    for title in (
        "A quick run",
        "Box-given",
        "Box-free",
        "Proposals",
        "Time per image",
        "Training curves",
        "The worst mistakes",
        "What was run",
        *MODELS.values(),
    ):
        assert title in words
    assert text.count("<h4>annotated</h4>") == text.count("<h4>OvarNet</h4>") == 6
    assert "<script" not in text
    assert not re.search(r'(src|href)="(?!data:)', text)
    tables = (output / "report" / "tables.md").read_text()
    rows = re.findall(r"^\| OvarNet \|( \**\d+\.\d\** \|)+$", tables, re.MULTILINE)
    assert len(rows) == 4  # one in each table but that of the proposals
    for name in MODELS:
        assert (
            json.loads((output / "evaluation" / name / "metrics.json").read_text())["about"][
                "images"
            ]
            == 40
        )


@pytest.mark.slow
def test_a_second_run_trains_nothing(output, capsys, monkeypatch):
    written = []

    def write_report(places, *, quick):
        written.append(places.output)
        return places.output, ""

    monkeypatch.setattr("ovarnet.scenes.report.write.write_report", write_report)
    before = (output / "chain.json").read_text()
    assert (
        main(["reproduce", "scenes", "--quick", "--configs", str(CONFIGS), "--output", str(output)])
        == 0
    )
    assert capsys.readouterr().out.count("not run again") == 13
    assert (output / "chain.json").read_text() == before
    assert written == [output]


@pytest.mark.slow
def test_what_the_chain_trained_detects(output, tmp_path):
    zero_shot = output / "runs" / "zero_shot" / "checkpoint"
    assert {
        kind: len(numbers)
        for kind, numbers in load_checkpoint(zero_shot).settings["calibration"].items()
    } == {"category": 2, "attribute": 2}
    image = str(sorted((output / "world" / "images" / "test").glob("*.jpg"))[0])
    for name in MODELS:
        model = ovarnet.load(output / "runs" / name / "checkpoint", device="cpu")
        found = model.detect(
            image, boxes=[[10, 10, 60, 60]], categories=["car", "giraffe"], attributes=["red"]
        )
        again = model.detect(
            image, boxes=[[10, 10, 60, 60]], categories=["giraffe", "mug", "car"], attributes=[]
        )
        assert torch.allclose(again.category_scores[:, [2, 0]], found.category_scores, atol=1e-6)
    assert (
        main(["detect", image, "--model", str(zero_shot), "--output", str(tmp_path / "out")]) == 0
    )

"""`ovarnet distill`: the stage "ovarnet" alone, its teacher on the command line."""

from pathlib import Path

import pytest

from ovarnet.cli.main import main

CONFIGS = Path(__file__).parents[3] / "configs" / "scenes"


@pytest.fixture
def trained(monkeypatch):
    """The configs that training is called with."""
    found = []
    monkeypatch.setattr(
        "ovarnet.training.train", lambda config, *_, **more: found.append(config) or "folder"
    )
    return found


def test_the_teacher_wins_over_the_config(trained, tmp_path, capsys):
    words = ["distill", str(CONFIGS / "ovarnet.yaml"), f"output={tmp_path}", "--teacher", "mine"]
    assert main(words) == 0
    assert [config.teacher for config in trained] == ["mine"]
    assert capsys.readouterr().out == "wrote folder\n"
    assert main(words[:3]) == 0
    assert trained[1].teacher == "runs/scenes/clip_attr_captions/checkpoint"


def test_another_stage_is_refused(trained, capsys):
    assert main(["distill", str(CONFIGS / "clip.yaml")]) == 2
    assert "is of stage 'clip', this command needs stage ovarnet; use: ovarnet train" in (
        capsys.readouterr().err
    )
    assert trained == []

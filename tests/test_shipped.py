"""Names of the models that ship, and the defaults."""

import subprocess
import sys

from ovarnet.config import ProbeTraining
from ovarnet.shipped import (
    DEFAULT_MODEL,
    DEFAULT_PROPOSER,
    SHIPPED,
    shipped_models,
    teacher_name,
)


def test_models_are_the_folders_with_a_config(tmp_path, monkeypatch):
    for name in ("b", "a", "no_model"):
        (tmp_path / name).mkdir()
    (tmp_path / "a/config.yaml").touch()
    (tmp_path / "b/config.yaml").touch()
    monkeypatch.setattr("ovarnet.shipped.SHIPPED", tmp_path)
    assert list(shipped_models().items()) == [("a", tmp_path / "a"), ("b", tmp_path / "b")]


def test_the_defaults_ship():
    shipped = shipped_models()
    assert shipped[DEFAULT_MODEL] == SHIPPED / DEFAULT_MODEL
    assert {DEFAULT_PROPOSER, teacher_name(DEFAULT_PROPOSER)} <= shipped.keys()
    assert ProbeTraining(output="o", init_from="i").proposer == DEFAULT_PROPOSER


def test_the_defaults_are_there_without_torch():
    code = "import sys, ovarnet.shipped; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n", done.stderr

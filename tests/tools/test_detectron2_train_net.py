"""The script without detectron2 says how to install it, in one line."""

import runpy
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools/detectron2_train_net.py"


def test_a_missing_detectron2_is_one_line(monkeypatch, capsys):
    for name in list(sys.modules):
        if name.startswith("ovarnet.integrations.detectron2"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "detectron2", None)
    with pytest.raises(SystemExit, match="2"):
        runpy.run_path(str(SCRIPT), run_name="__main__")
    printed = capsys.readouterr().err
    assert printed.startswith("error: ovarnet.integrations.detectron2 needs detectron2")
    assert 'pip install "ovarnet[detectron2]" && pip install --no-deps' in printed
    assert printed.count("\n") == 1

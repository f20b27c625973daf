import sys

import pytest
from dataset_files import prepare, write_json

from ovarnet.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["custom", "--root", "none"], "--root none: no such folder; make it"),
        (["custom", "--root", ".", "--splits", "dev"], "--splits dev: custom has train, val, test"),
        (["custom", "--root", ".", "--sample", "-1"], "--sample -1: give 0 or more images"),
    ],
)
def test_wrong_arguments(arguments, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["prepare", *arguments]) == 2
    assert f"error: {message}" in capsys.readouterr().err


def test_exit_code_and_last_line_say_whether_it_is_ready(tmp_path, capsys):
    code, out = prepare(capsys, "ovad", "--root", tmp_path)
    assert code == 2
    assert f"ovad in {tmp_path}: 2 missing, 0 kinds of problems (" in out.splitlines()[-1]


def test_a_file_that_cannot_be_used_is_a_problem_not_the_end(tmp_path, capsys):
    write_json(tmp_path / "ovad2000.json", {"images": 3})
    code, out = prepare(capsys, "ovad", "--root", tmp_path)
    assert code == 2
    assert "1 missing, 1 kinds of problems" in out


def test_the_generated_world_may_be_absent(tmp_path, capsys, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("ovarnet.scenes")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ovarnet.scenes", None)
    assert main(["prepare", "scenes", "--root", str(tmp_path)]) == 2
    assert "error: prepare scenes needs the package ovarnet.scenes" in capsys.readouterr().err

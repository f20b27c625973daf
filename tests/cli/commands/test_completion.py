import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ovarnet.cli.commands.completion import SHELLS, complete_files
from ovarnet.cli.main import COMMANDS, main

shtab = pytest.importorskip("shtab")


@pytest.fixture
def script(capsys):
    def make(shell):
        assert main(["completion", shell]) == 0
        return capsys.readouterr().out

    return make


@pytest.mark.parametrize("shell", SHELLS)
def test_script_names_every_command(script, shell):
    text = script(shell)
    assert {name for name in COMMANDS if not re.search(rf"\b{name}\b", text)} == set()
    assert "save-crops" in text


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ovarnet encode", ["encode-words"]),
        ("ovarnet detect --attribute-", ["--attribute-threshold"]),
        ("ovarnet completion z", ["zsh"]),
        ("ovarnet catalogue ta", ["tag"]),
        ("ovarnet detect pho", ["photo.jpg"]),
    ],
)
def test_bash_completes(script, tmp_path, line, expected):
    (tmp_path / "completion.sh").write_text(script("bash"))
    (tmp_path / "photo.jpg").touch()
    words = line.split()
    commands = f"""
source ./completion.sh
function_of=$(complete -p ovarnet | grep -oE -- '-F [^ ]+')
COMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}
${{function_of#-F }} ovarnet '{words[-1]}' '{words[-2]}'
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(
        ["bash", "-c", commands], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == expected, done.stderr


def test_numbers_and_choices_are_not_completed_by_files():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    inner = commands.add_parser("inner")
    added = {
        "text": inner.add_argument("text"),
        "path": inner.add_argument("--path", type=Path),
        "number": inner.add_argument("--number", type=int),
        "choice": inner.add_argument("--choice", choices=["a"]),
        "flag": inner.add_argument("--flag", action="store_true"),
    }
    complete_files(parser, shtab.FILE)
    assert [name for name, action in added.items() if hasattr(action, "complete")] == [
        "text",
        "path",
    ]


def test_missing_package_is_one_line(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 2
    assert capsys.readouterr().err == (
        'error: completion needs shtab, which is not installed: pip install "ovarnet[completion]"\n'
    )


def test_unknown_shell_is_refused(capsys):
    assert main(["completion", "cmd"]) == 2
    assert "invalid choice: 'cmd'" in capsys.readouterr().err

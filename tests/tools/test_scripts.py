"""The thin scripts run the command of their name, under any working directory."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
COMMANDS = {
    path.stem: found.group(1)
    for path in sorted(TOOLS.glob("*.py"))
    if (found := re.search(r'main\(\["([a-z-]+)", \*sys\.argv', path.read_text(encoding="utf-8")))
}
"""Script -> the command that it runs."""


def test_the_scripts_that_the_documentation_names_are_there():
    assert COMMANDS == {
        "benchmark": "benchmark",
        "distill": "distill",
        "evaluate": "evaluate",
        "parse_captions": "parse-captions",
        "train_net": "train",
    }


@pytest.mark.parametrize("script", COMMANDS)
def test_help_is_that_of_the_command(script, tmp_path):
    done = subprocess.run(
        [sys.executable, str(TOOLS / f"{script}.py"), "--help"],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert f"ovarnet {COMMANDS[script]} " in done.stdout.split("\n")[0]


def test_errors_are_one_line_and_exit_code_2(tmp_path):
    done = subprocess.run(
        [sys.executable, str(TOOLS / "train_net.py"), "--config-file", "none.yaml"],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: config none.yaml does not exist")
    assert done.stderr.count("\n") == 1

"""The thin scripts run the command of their name, under any working directory."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
COMMANDS = {
    "benchmark": "benchmark",
    "distill": "distill",
    "evaluate": "evaluate",
    "parse_captions": "parse-captions",
    "train_net": "train",
}


def test_every_script_is_known():
    own = {"benchmark_loading", "benchmark_metrics", "benchmark_parser", "ship_weights"}
    assert {path.stem for path in TOOLS.glob("*.py")} == own | set(COMMANDS)


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

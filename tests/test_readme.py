"""The README is true: its Python snippet runs, and what it names exists."""

import re
import shlex
from pathlib import Path

import pytest

from ovarnet import cli

ROOT = Path(__file__).parents[1]
README = re.sub(r"<!--.*?-->", "", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
COMMANDS = re.findall(r"\b(ovarnet (?:detect|train|evaluate|generate|learnability)\b[^\n`]*)", README)


def test_python_snippet_runs_with_the_shipped_weights(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    snippet, = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(snippet, "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) >= 2  # at least one object, and the shape
    assert re.fullmatch(r"torch.Size\(\[\d+, 1\]\)", printed[-1])


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_understood(command):
    words = shlex.split(re.split(r"\s{3,}", command)[0])[1:]  # a remark may follow, after spaces
    if "--help" not in words:
        cli.parse(words)


def test_links_and_files_exist():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    configs = re.findall(r"configs/[\w/]+\.yaml", README)
    assert links and configs
    for name in links + configs:
        assert (ROOT / name).exists(), name

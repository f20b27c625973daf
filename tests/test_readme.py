"""The README is true: its Python runs, its Train block runs as it stands, what it names exists.

That its commands are understood: tests/test_docs.py.
"""

import json
import re
import shlex
from pathlib import Path

import pytest

from ovarnet.cli.main import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


SMALL = {
    "generate": "--train 60 --val 1 --test 6 --captions 40 --photos 400 --workers 1",
    "train configs/scenes/clip.yaml": "optimisation.iterations=6 optimisation.warmup=2 "
    "optimisation.batch_size=16",
    "train configs/scenes/proposer.yaml": "optimisation.iterations=4 optimisation.warmup=2 "
    "optimisation.batch_size=2",
    "train configs/scenes/clip_attr.yaml": "optimisation.iterations=4 optimisation.warmup=2 "
    "optimisation.batch_size=16",
    "train configs/scenes/clip_attr_captions.yaml": "optimisation.iterations=4 "
    "optimisation.warmup=2 optimisation.batch_size=8 base_batch_size=8",
    "distill": "optimisation.iterations=4 optimisation.warmup=2 optimisation.batch_size=2",
}
"""Start of a command -> what makes it small."""


def train_block() -> list[str]:
    section = README.split("\n## Train\n")[1].split("\n## ")[0]
    commands = re.findall(r"^    ovarnet (.+)$", section, re.MULTILINE)
    return [re.split(r"\s{3,}", command)[0] for command in commands]


@pytest.mark.slow
def test_python_runs_with_the_shipped_weights(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    (snippet,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in snippet.splitlines() if line.strip()]) == 6
    exec(compile(snippet, "README.md", "exec"), {})
    first = capsys.readouterr().out.splitlines()[0]
    assert re.fullmatch(
        r"cat \[[\d., ]+\] \{'furry': 0\.\d+, 'eye': 0\.\d+, 'wheel': 0\.\d+\}", first
    )


def test_links_and_files_exist():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    configs = re.findall(r"configs/[\w/]+\.yaml", README)
    assert links
    assert configs
    for name in links + configs:
        assert (ROOT / name).exists(), name


@pytest.mark.slow
def test_the_train_block_runs_in_small(tmp_path, monkeypatch, figure_of_curves):
    """Word for word, each command with a few words more."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    commands = train_block()
    assert len(commands) == 9
    used = set()
    for command in commands:
        more = [start for start in SMALL if command.startswith(start)]
        used.update(more)
        words = shlex.split(" ".join([command, *(SMALL[start] for start in more)]))
        assert main(words) == 0, command
    assert used == set(SMALL)
    metrics = json.loads((tmp_path / "out/evaluation/metrics.json").read_text())
    assert metrics["about"]["images"] == 6

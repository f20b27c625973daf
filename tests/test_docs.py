"""The pages of docs/ that a new user follows: every command is understood, and the Python of docs/evaluation.md runs and is right."""

import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

from ovarnet import cli
from ovarnet.files import read_json, write_json

ROOT = Path(__file__).parents[1]
PAGES = {name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("own_data.md", "evaluation.md")}
COMMANDS = [command for page in PAGES.values() for command in re.findall(r"^    (ovarnet [^\n]*)", page, re.MULTILINE)]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_understood(command):
    cli.parse(shlex.split(re.split(r"\s{3,}", command)[0])[1:])


def test_files_that_are_named_exist():
    for name in (name for page in PAGES.values() for name in re.findall(r"configs/[\w/]+\.yaml", page)):
        assert (ROOT / name).is_file(), name
    for name in (name for page in PAGES.values() for name in re.findall(r"\]\((?!http)([^)#]+)\)", page)):
        assert (ROOT / "docs" / name).exists(), name


def test_constant_predictions_of_the_evaluation_page_score_the_chance_level(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "datasets/mine"
    (root / "images").mkdir(parents=True)
    colors = ["red", "blue", "blue", "blue"]
    for number, _ in enumerate(colors):
        Image.new("RGB", (9, 9), (number, 0, 0)).save(root / "images" / f"{number}.png")
    write_json(root / "test.json", {
        "images": [{"id": n, "file_name": f"{n}.png"} for n in range(4)], "unlisted_attributes": "negative",
        "annotations": [{"id": n, "image_id": n, "bbox": [0, 0, 9, 9], "attributes": [color]} for n, color in enumerate(colors)]})
    assert cli.main(["prepare", "custom", "--root", "datasets/mine"]) == 0
    snippet, = re.findall(r"```python\n(.*?)```", PAGES["evaluation.md"], re.DOTALL)
    exec(compile(snippet, "docs/evaluation.md", "exec"), {})
    command, = re.findall(r"^    (ovarnet evaluate --predictions theirs.json --dataset custom[^\n]*)", PAGES["evaluation.md"], re.MULTILINE)
    assert cli.main([*shlex.split(command)[1:], "--output", "out"]) == 0
    rows = read_json("out/metrics.json")["rows"]
    assert [(row["value"], row["chance"]) for row in rows if (row["measure"], row["group"]) == ("attribute mAP", "all")] == [(0.5, 0.5)]

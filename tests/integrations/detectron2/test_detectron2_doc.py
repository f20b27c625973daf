# ruff: noqa: E402 (detectron2 is looked for first)
"""The Python of docs/detectron2.md runs and says what comes back."""

import re
import shlex
from pathlib import Path

import pytest
from detectron2_sources import require_detectron2

require_detectron2()

import cv2
from detectron2.engine import default_argument_parser

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/detectron2.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_example_of_the_page_runs(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {}
    code = code.replace("cat.png", str(tmp_path / "cat.png"))
    exec(compile(code, "docs/detectron2.md", "exec"), names)
    instances = names["instances"]
    assert len(instances) > 0
    assert instances.pred_boxes.tensor.shape == (len(instances), 4)
    assert instances.attribute_scores.shape == (len(instances), 3)
    assert cv2.imread(str(tmp_path / "cat.png")).shape == names["image"].shape


def test_datasets_are_registered_as_the_page_shows():
    from ovarnet.integrations.detectron2 import register_dataset
    from ovarnet.vocabulary import Vocabulary

    calls = re.findall(r"^    (register_dataset\(.*\))$", PAGE, re.MULTILINE)
    assert len(calls) == 2
    for call in calls:
        eval(call, {"register_dataset": register_dataset, "words": Vocabulary()})


def test_commands_are_understood_by_detectron2():
    commands = re.findall(r"^    python (tools/.*)$", PAGE, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        script, *words = shlex.split(command)
        args = default_argument_parser().parse_args(words)
        assert (ROOT / script).is_file()
        assert (ROOT / args.config_file).is_file()

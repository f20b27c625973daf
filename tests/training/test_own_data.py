"""A few images of one's own: prompts trained on them, and the page docs/own_data.md as it is."""

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from catalogue_data import accuracy, given
from PIL import Image

import ovarnet
from ovarnet.cli.main import main
from ovarnet.errors import InputError
from ovarnet.training import train

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_prompts_learn_from_hand_written_and_from_learned_ones(catalogue, tmp_path):
    settings = {
        "prompt_vectors": [2, 1, 1],
        "cached_views": 1,
        "lr_multipliers": {"prompts": 1, "text_tower": 0, "scale": 1, "bias": 10},
        "optimisation": {"iterations": 3, "batch_size": 8, "lr": 1e-3},
    }
    first = train(
        given("clip_attr", catalogue, tmp_path / "one", **settings), Accelerator(cpu=True)
    )
    second = train(
        given("clip_attr", catalogue, tmp_path / "two", first, **settings), Accelerator(cpu=True)
    )
    one, two = (ovarnet.load(folder, device="cpu") for folder in (first, second))
    tower = ovarnet.load("scenes-clip-attr", device="cpu").model.clip.model.state_dict()
    assert all(
        torch.equal(value, tower[key])
        for key, value in two.model.clip.model.state_dict().items()
        if key != "logit_scale"
    )
    moved = (
        (two.model.classifier.prompts.vectors - one.model.classifier.prompts.vectors).abs().max()
    )
    assert 0 < moved < 0.02, "the second run is initialised from the vectors of the first"
    assert len(two.detect(str(catalogue / "images/0.png"))) > 0
    probed = train(
        given("probe", catalogue, tmp_path / "three", first, penalties=[0.1]),
        Accelerator(cpu=True),
    )
    before, after = (
        accuracy(one, catalogue),
        accuracy(ovarnet.load(probed, device="cpu"), catalogue),
    )
    assert after[0] >= before[0], "labels cost no color"
    assert after[1] > before[1], "and add categories"
    with pytest.raises(InputError, match="has a linear probe"):
        train(
            given("clip_attr", catalogue, tmp_path / "four", probed, **settings),
            Accelerator(cpu=True),
        )


def test_settings_that_cannot_work(catalogue, tmp_path):
    with pytest.raises(
        InputError, match="give `init_from`, a CLIP-Attr to initialise from, or both"
    ):
        train(
            replace(given("clip_attr", catalogue, tmp_path), init_from=None), Accelerator(cpu=True)
        )
    with pytest.raises(InputError, match="brings its own CLIP"):
        train(
            given("clip_attr", catalogue, tmp_path, clip={"name": "ovarnet-scenes"}),
            Accelerator(cpu=True),
        )


@pytest.mark.slow
def test_the_page_runs_as_it_stands(tmp_path, monkeypatch):
    """Its script and its commands, on 12 training and 18 test images; only what needs pretrained
    weights or validation data is left out."""
    page = (ROOT / "docs/own_data.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    write_shop(tmp_path / "catalogue")
    (tmp_path / "datasets/mine").mkdir(parents=True)
    (tmp_path / "datasets/mine/images").symlink_to(tmp_path / "catalogue/images")
    script = next(code for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    small = script.replace("[:80]", "[:12]").replace("[80:280]", "[12:30]")
    assert small.count("12") >= 2
    exec(compile(small, "to_json.py", "exec"), {})
    test = json.loads(Path("datasets/mine/test.json").read_text())
    photo = f"catalogue/images/{test['images'][0]['file_name']}"

    commands = re.findall(r"^    (ovarnet [^\n]+)", page, re.MULTILINE)
    assert len(commands) == 11
    for command in commands:
        if "openai" not in command and "validation." not in command:
            words = shlex.split(command.replace("catalogue/images/54500.jpg", photo))[1:]
            assert main(words) == 0, command
    assert list(Path("out").glob("*.json"))


def write_shop(folder):
    """products.csv and photos on white, as the page describes them."""
    types, colors = ["Tshirts", "Belts", "Watches"], ["Black", "Red", "Blue"]
    rgb = {"Black": (10, 10, 10), "Red": (200, 20, 20), "Blue": (20, 20, 200)}
    (folder / "images").mkdir(parents=True)
    rows = ["id,file_name,article_type,color"]
    for number in range(30):
        kind, color = types[number % 3], colors[number // 3 % 3]
        rows.append(f"{number},{number}.jpg,{kind},{color}")
        image = Image.new("RGB", (64, 64), "white")
        width = {"Tshirts": 40, "Belts": 56, "Watches": 16}[kind]
        height = {"Tshirts": 40, "Belts": 8, "Watches": 30}[kind]
        shade = tuple(value + number for value in rgb[color])
        image.paste(shade, (4, 8, 4 + width, 8 + height))
        image.save(folder / "images" / f"{number}.jpg")
    (folder / "products.csv").write_text("\n".join(rows) + "\n")

"""Arguments of commands that run a model, and the note on the shipped weights."""

import pytest

from ovarnet.cli.model_arguments import (
    TRAINED_ON_SCENES,
    add_device_argument,
    add_model_arguments,
    note_on_shipped_weights,
)
from ovarnet.cli.parser import Parser
from ovarnet.shipped import DEFAULT_MODEL, shipped_models


def test_defaults():
    parser = Parser()
    add_model_arguments(parser)
    add_device_argument(parser)
    args = parser.parse_args([])
    assert (args.model, args.proposer, args.device) == (DEFAULT_MODEL, None, "auto")


def test_weights_of_the_generated_world_ship():
    assert set(TRAINED_ON_SCENES) <= shipped_models().keys()


@pytest.mark.parametrize("name", TRAINED_ON_SCENES)
@pytest.mark.parametrize(
    ("shipped", "for_photos"),
    [
        ([], "clip-attr:ViT-B-16-quickgelu/openai --proposer torchvision"),
        (["photos"], "photos"),
    ],
)
def test_they_are_noted_in_one_line(name, shipped, for_photos, tmp_path, monkeypatch, capsys):
    for model in shipped:
        (tmp_path / model).mkdir()
        (tmp_path / model / "config.yaml").touch()
    monkeypatch.setattr("ovarnet.shipped.SHIPPED", tmp_path)
    note_on_shipped_weights(name)
    assert capsys.readouterr().err == (
        f"note: the weights '{name}' were trained on drawn scenes and have never seen a photo; for "
        f"photos: --model {for_photos}\n"
    )


@pytest.mark.parametrize(
    "name", ["photos", "clip-attr:RN50/openai", "runs/mine/checkpoint", "./scenes"]
)
def test_other_weights_are_not(name, capsys):
    note_on_shipped_weights(name)
    assert capsys.readouterr().err == ""

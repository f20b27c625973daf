"""Arguments of commands that run a model, and the note on the shipped weights."""

from pathlib import Path

import pytest

from ovarnet.build import SHIPPED
from ovarnet.cli.model_arguments import (
    TRAINED_ON_SCENES,
    add_device_argument,
    add_model_arguments,
    note_on_shipped_weights,
)
from ovarnet.cli.parser import Parser


def test_defaults():
    parser = Parser()
    add_model_arguments(parser)
    add_device_argument(parser)
    args = parser.parse_args([])
    assert (args.model, args.proposer, args.device) == ("scenes", None, "auto")


@pytest.mark.parametrize("name", TRAINED_ON_SCENES)
def test_weights_of_the_generated_world_are_noted_in_one_line(name, capsys):
    assert Path(SHIPPED / name).is_dir()
    note_on_shipped_weights(name)
    error = capsys.readouterr().err
    assert error.startswith(f"note: the weights '{name}' were trained on drawn scenes")
    assert error.count("\n") == 1


@pytest.mark.parametrize("name", ["clip-attr:RN50/openai", "runs/mine/checkpoint", "./scenes"])
def test_other_weights_are_not(name, capsys):
    note_on_shipped_weights(name)
    assert capsys.readouterr().err == ""

"""The steps of the chain: commands that can be typed, each given what earlier ones wrote."""

from pathlib import Path

import pytest

from ovarnet.cli.main import COMMANDS, parse
from ovarnet.scenes.chain.sizes import FULL, QUICK
from ovarnet.scenes.chain.steps import MODELS, Places, all_steps

CONFIGS = Path(__file__).parents[3] / "configs" / "scenes"
NAMES = [
    "world",
    "clip",
    "proposer",
    "zero_shot",
    "step_one",
    "proposals",
    "pseudo_labels",
    "step_two",
    "ovarnet",
    "evaluate_zero_shot",
    "evaluate_step_one",
    "evaluate_step_two",
    "evaluate_ovarnet",
]


@pytest.fixture
def places(tmp_path):
    return Places(CONFIGS, tmp_path / "out")


def test_steps_are_commands_that_can_be_typed(places):
    steps = {step.name: step for step in all_steps(places, QUICK)}
    assert list(steps) == NAMES
    for step in steps.values():
        assert parse(step.command).command in COMMANDS
    assert set(FULL) <= set(NAMES)
    assert set(QUICK) <= set(NAMES)
    assert {f"evaluate_{name}" for name in MODELS} <= set(NAMES)
    assert set(MODELS) <= set(NAMES)


def test_each_stage_is_given_what_the_one_before_left(places):
    settings = {step.name: step.settings() for step in all_steps(places, QUICK) if step.is_training}
    runs = places.output / "runs"
    assert settings["proposer"]["clip"]["pretrained"] == str(
        runs / "clip/checkpoint/clip.safetensors"
    )
    assert settings["step_one"]["proposer"] == str(runs / "proposer/checkpoint")
    assert settings["step_two"]["init_from"] == str(runs / "step_one/checkpoint")
    assert settings["step_two"]["pseudo_labels"] == str(runs / "pseudo_labels")
    assert settings["ovarnet"]["teacher"] == str(runs / "step_two/checkpoint")
    for name in ("step_one", "step_two", "ovarnet"):
        assert (
            settings[name]["detection"]["root"]
            == settings[name]["attributes"]["root"]
            == str(places.world)
        )
    assert settings["clip"]["optimisation"]["iterations"] == 100
    assert settings["clip"]["bag_of_words_init"]

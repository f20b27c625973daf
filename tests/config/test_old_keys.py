"""Configs and saved settings of earlier versions: read as today's, with one note."""

import logging
from dataclasses import asdict

import pytest
from config_values import required
from omegaconf import OmegaConf

from ovarnet.config import STAGES, resolve
from ovarnet.config.old_keys import CONSTANT, RENAMED, translate
from ovarnet.errors import InputError
from ovarnet.shipped import SHIPPED, shipped_models


def given(stage, **more):
    return OmegaConf.create({"stage": stage, **more})


def test_a_key_is_read_under_its_old_name_and_named_once(caplog):
    old = given("ovarnet", regions=16, terms={"anchor_boxes": 30.0, "boxes": 2}, backbone_rate=0.5)
    with caplog.at_level(logging.WARNING):
        new = translate(old, "ovarnet", "c.yaml")
    assert OmegaConf.to_container(new) == {
        "stage": "ovarnet",
        "roi_batch_size": 16,
        "loss_weights": {"rpn_boxes": 30.0, "boxes": 2},
        "backbone_lr_multiplier": 0.5,
    }
    assert OmegaConf.to_container(old)["regions"] == 16, "what was given stays as it was"
    assert [record.getMessage() for record in caplog.records] == [
        "c.yaml: old keys are still read: backbone_rate is now backbone_lr_multiplier; regions is "
        "now roi_batch_size; terms is now loss_weights; loss_weights.anchor_boxes is now "
        "loss_weights.rpn_boxes"
    ]


def test_todays_keys_need_no_note(caplog):
    config = given("clip_attr", init_from="scenes", lr_multipliers={"bias": 1})
    assert translate(config, "clip_attr", "c.yaml") == config
    assert not caplog.records


def test_one_old_key_may_be_two_new_ones():
    new = translate(given("zero_shot", root="r", boxes=5), "zero_shot", "c.yaml")
    assert OmegaConf.to_container(new) == {
        "stage": "zero_shot",
        "detection": {"root": "r"},
        "attributes": {"root": "r"},
        "calibration_boxes": 5,
    }


def test_a_key_under_both_names_is_refused():
    with pytest.raises(
        InputError, match="init_from is given twice, also under its old name 'start'"
    ):
        translate(given("probe", start="a", init_from="b"), "probe", "c.yaml")


def test_a_former_setting_is_dropped_where_it_says_what_is_always_so(caplog):
    new = translate(
        given("clip_attr_captions", unknown_divisors=[10, 5]), "clip_attr_captions", "c"
    )
    assert OmegaConf.to_container(new) == {"stage": "clip_attr_captions"}
    assert "unknown_divisors is no setting any more" in caplog.text
    assert not OmegaConf.to_container(translate(given("zero_shot", seed=7), "zero_shot", "c")).get(
        "seed"
    )
    with pytest.raises(InputError) as error:
        translate(given("clip_attr_captions", unknown_divisors=[9, 5]), "clip_attr_captions", "c")
    assert str(error.value) == (
        "c: unknown_divisors is [9, 5], but it is no setting any more: it is always [10.0, 5.0]; "
        "leave it out"
    )


@pytest.mark.parametrize("stage", RENAMED)
def test_every_new_name_is_a_setting_and_no_old_one_is(stage):
    kind = STAGES[stage].settings
    known = keys(asdict(resolve(given(stage, **required(kind)), "c.yaml")))
    groups = {key.rpartition(".")[0] for key in known}
    for old, new in RENAMED[stage].items():
        assert set(new.split()) <= known | groups, old
        assert old not in known, old
    assert not set(CONSTANT.get(stage, ())) & known


def keys(config, prefix=""):
    found = set()
    for name, value in config.items():
        found |= keys(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}"}
    return found


def test_the_settings_that_shipped_checkpoints_were_trained_with_are_still_read():
    for folder in shipped_models().values():
        training = OmegaConf.load(folder / "config.yaml").training
        assert resolve(training, "c.yaml").stage == training.stage
    for name in ("scenes", "scenes-clip-attr"):
        training = OmegaConf.load(SHIPPED / name / "config.yaml").training
        config = resolve(training, "c.yaml")
        assert config.optimisation.iterations == training.optimisation.iterations
    assert config.init_from == "runs/scenes/clip_attr/checkpoint"
    assert config.selection.max_proposals == 3
    assert (config.tower_regularisation, config.unmentioned_weight) == (0.5, 0.5)
    assert config.loss_weights.mentioned_attributes == 2.0

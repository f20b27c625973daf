"""What config.yaml must say, key by key."""

from pathlib import Path

import pytest

from ovarnet.checkpoint_settings import check_settings
from ovarnet.errors import InputError

FILE = Path("folder/config.yaml")
CLIP_ATTR = {
    "clip": {"name": "ovarnet-scenes"},
    "proposer": {"kind": "scenes", "clip": "ovarnet-scenes"},
    "prompts": {"vectors": [2, 1, 1], "parent_type": True},
}
OVARNET = {
    "clip": {"name": "RN50"},
    "backbone": {"name": "RN50"},
    "prompts": {"category": ["a {}"], "attribute": ["a {} thing"]},
    "calibration": {"category": [5, -1.5], "attribute": [5.0, -1]},
    "design": {},
}


@pytest.mark.parametrize(("model", "settings"), [("clip-attr", CLIP_ATTR), ("ovarnet", OVARNET)])
def test_whole_settings_pass_and_every_required_key_is_missed(model, settings):
    check_settings(model, settings, FILE)
    for key in settings:
        if key in ("clip", "backbone", "prompts", "design", "calibration"):
            rest = {name: value for name, value in settings.items() if name != key}
            with pytest.raises(InputError, match=rf"config\.yaml: {key}[a-z.]* is missing"):
                check_settings(model, rest, FILE)


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("clip", "x", "a section"),
        ("clip", {"name": 5}, "the name of a CLIP"),
        ("proposer", {"kind": "scenes", "clip": 3}, "the name of a CLIP"),
        ("threshold", None, "has no value"),
        ("score_calibration", [0, 1], "two numbers, the first above 0"),
        ("prompts", {"vectors": [2, 1, -1], "parent_type": True}, "three numbers"),
        ("prompts", {"vectors": [2, 1, 1], "parent_type": "yes"}, "three numbers"),
        ("prompts", {"category": ["a {}"]}, "three numbers"),
        ("calibration", {"category": [1]}, "two numbers"),
        ("calibration", {"category": [True, False]}, "two numbers"),
        ("probe", {"category": ["mug"]}, "lists of words"),
        ("stored_in", {"clip": 5}, "a file for each part"),
    ],
)
def test_a_value_of_another_form_is_named(key, value, wanted):
    with pytest.raises(InputError) as error:
        check_settings("clip-attr", {**CLIP_ATTR, key: value}, FILE)
    assert str(error.value).startswith(f"{FILE}: {key}")
    assert wanted in str(error.value)


def test_a_key_that_is_misspelt_is_named():
    with pytest.raises(InputError, match=r"config\.yaml: 'nms_iuo' is no setting .* 'nms_iou'\?"):
        check_settings("clip-attr", {**CLIP_ATTR, "nms_iuo": 0.3}, FILE)


def test_other_models_need_nothing_more():
    check_settings("something else", {}, FILE)

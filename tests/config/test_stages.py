"""The table of stages, and what holds for every setting of every stage."""

import math
import random
from dataclasses import fields
from typing import get_args, get_origin, get_type_hints

import pytest
from config_values import group_of, required, settings_classes

from ovarnet.config import STAGES, build_settings
from ovarnet.errors import InputError

JUNK = (
    *(-1, -(2**40), 2**40, 2**70, 1e300, -0.5, math.nan, math.inf, -math.inf),
    *(
        "",
        " ",
        "x" * 300,
        "a\0b",
        "\ud800",
        "${",
        "${nowhere}",
        "???",
        "a: b",
        None,
        {},
        {"a": "b"},
    ),
    *(
        [],
        [[]],
        [-1],
        [-1, -1],
        [-1, -1, -1],
        [2**70] * 3,
        [math.nan] * 2,
        ["x" * 300],
        [None],
        [{}],
    ),
)
"""Values that a hand or a program may write into a config by mistake."""


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_a_settings_class_and_a_function_that_exist(name):
    stage = STAGES[name]
    config = build_settings(stage.settings, required(stage.settings), "c.yaml")
    assert config.stage == name
    function = stage.load_function()
    module, _, called = stage.function.partition(":")
    assert (function.__module__, function.__name__) == (module, called)


def test_every_setting_says_beside_its_field_what_it_may_be():
    """All but the switches, which may be true or false, and the name of the stage."""
    free = {
        f"{kind.__name__}.{member.name}"
        for kind in settings_classes()
        for member in fields(kind)
        if "allowed" not in member.metadata
        and group_of(get_type_hints(kind)[member.name]) is None
        and get_type_hints(kind)[member.name] is not bool
    }
    assert free == {f"{stage.settings.__name__}.stage" for stage in STAGES.values()}


def test_every_number_has_two_ends():
    for kind in settings_classes():
        for member in fields(kind):
            hint = get_type_hints(kind)[member.name]
            if {int, float} & {hint, *get_args(hint)}:
                allowed = member.metadata["allowed"]
                where = f"{kind.__name__}.{member.name}"
                low = allowed.at_least is not None or allowed.more_than is not None
                high = allowed.at_most is not None or allowed.less_than is not None
                assert allowed.one_of or {low, high} == {True}, where
                assert not allowed.accepts(math.nan), where
                if get_origin(hint) is tuple:
                    assert allowed.items == (len(get_args(hint)),) * 2, where


@pytest.mark.slow
@pytest.mark.parametrize("kind", settings_classes(), ids=lambda kind: kind.__name__)
def test_junk_in_any_setting_is_accepted_as_what_it_may_be_or_refused_in_one_line(kind):
    draw, base = random.Random(0), required(kind)
    for name, hint in get_type_hints(kind).items():
        if name == "stage":
            continue
        # a stage with all its groups takes longer, and its own settings are of few kinds
        for junk in JUNK if len(fields(kind)) < 8 else draw.sample(JUNK, 12):
            try:
                found = getattr(build_settings(kind, {**base, name: junk}, "c.yaml"), name)
            except InputError as error:
                text = str(error)
                assert text.startswith("c.yaml: "), (name, junk)
                assert name in text or "must be given" in text or "nowhere" in text, (name, junk)
                assert not {"\n", "$"} & set(text.replace("${", "")), (name, junk)
                assert len(text) < 500, (name, junk)
            else:
                member = next(member for member in fields(kind) if member.name == name)
                allowed = member.metadata.get("allowed")
                assert found is None or allowed is None or allowed.accepts(found), (name, junk)
                if isinstance(junk, (int, float)) and hint in (int, float):
                    assert found == junk, (name, junk)

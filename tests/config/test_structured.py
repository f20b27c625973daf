"""Plain values -> a settings object: defaults, types, and errors as the user writes the setting."""

from dataclasses import dataclass, field

import pytest
from omegaconf import OmegaConf

from ovarnet.config.allowed import setting
from ovarnet.config.structured import build_settings
from ovarnet.errors import InputError


@dataclass
class Group:
    number: float = setting(1.0, at_least=0, at_most=9)
    name: str = setting()

    def __post_init__(self):
        if self.name == "nine" and self.number != 9:
            raise InputError("group.name is nine, and the number is not")


@dataclass
class Config:
    count: int = setting(3, at_least=0, at_most=9)
    pair: tuple[int, int] = setting((1, 2), at_least=0)
    words: list[str] = setting(["a"])
    limit: int | None = setting(None, at_least=1)
    flag: bool = False
    group: Group = field(default_factory=Group)
    other: Group | None = None


def build(**given):
    return build_settings(Config, {"group": {"name": "g"}, **given}, "c.yaml")


def test_defaults_and_conversions():
    assert build() == Config(group=Group(1.0, "g"))
    found = build(count="4", pair=[3, 4], words=["x", 1], limit=2, flag=True, other={"name": "o"})
    assert found == Config(4, (3, 4), ["x", "1"], 2, True, Group(1.0, "g"), Group(1.0, "o"))
    assert isinstance(found.pair, tuple)
    assert build(pair=(3, 4)).pair == (3, 4)
    given = OmegaConf.create({"count": 5, "group": {"name": "n${count}"}})
    assert build_settings(Config, given, "c.yaml").group.name == "n5"


def test_building_one_config_does_not_change_the_next():
    build().words.append("b")
    assert build().words == ["a"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cuont": 1}, "unknown key 'cuont'; did you mean 'count'?"),
        ({"group": {"nmae": 1}}, "unknown key 'group.nmae'; did you mean 'group.name'?"),
        ({1: 1}, "unknown key '1'; did you mean "),
        ({"count": "many"}, "count is 'many'; it must be a whole number"),
        ({"count": 1.5}, "count is 1.5; it must be a whole number"),
        ({"count": None}, "count is None; it must be a whole number"),
        ({"count": 10}, "count is 10; it must be from 0 to 9"),
        ({"limit": "all"}, "limit is 'all'; it must be a whole number, or null"),
        ({"pair": [1]}, "pair is [1]; it must be 2 values, each a whole number"),
        ({"pair": ["a", 1]}, "pair is ['a', 1]; it must be 2 values, each a whole number"),
        ({"pair": {"a": 1}}, "pair is {'a': 1}; it must be 2 values, each a whole number"),
        ({"pair": [None, 1]}, "pair is [None, 1]; it must be 2 values, each a whole number"),
        ({"words": {"a": "b"}}, "words is {'a': 'b'}; it must be a list of values, each text"),
        ({"words": [["a"]]}, "words is [['a']]; it must be a list of values, each text"),
        ({"flag": 3}, "flag is 3; it must be true or false"),
        ({"flag": "maybe"}, "flag is 'maybe'; it must be true or false"),
        ({"group": 3}, "group is '3'; it is a group of settings, such as group.number=..."),
        ({"group": None}, "group is 'None'; it is a group of settings"),
        ({"group": {"number": 1}}, "group.name must be given"),
        ({"group": {"name": "nine"}}, "group.name is nine, and the number is not"),
        ({"words": ["${nothing}"]}, "words[0]: Interpolation key 'nothing' not found"),
        ({"count": "${"}, "count: no viable alternative at input '${'"),
    ],
)
def test_mistakes_are_one_line_that_names_the_setting(given, message):
    with pytest.raises(InputError) as error:
        build(**{"group": {"name": "g"}, **given}) if 1 not in given else build_settings(
            Config, given, "c.yaml"
        )
    assert str(error.value).startswith(f"c.yaml: {message}")
    assert "$VALUE" not in str(error.value)

"""What a setting accepts, and how an error says so."""

import math
from dataclasses import dataclass, field

import pytest

from ovarnet.config.allowed import Allowed, check_values, path_setting, setting
from ovarnet.errors import InputError


@pytest.mark.parametrize(
    ("allowed", "accepted", "refused", "words"),
    [
        (Allowed(at_least=0, at_most=1), (0, 1, 0.5), (-1e-9, 1.5), "from 0 to 1"),
        (Allowed(at_least=0, less_than=1), (0, 0.999), (1, 2), "from 0 to less than 1"),
        (
            Allowed(more_than=0, at_most=1e6),
            (1e-9, 1e6),
            (0, 2e6),
            "more than 0 and at most 1,000,000",
        ),
        (
            Allowed(more_than=0, at_most=math.inf, note="!"),
            (1, math.inf),
            (0, -math.inf),
            "more than 0!",
        ),
        (Allowed(at_least=3), (3, 1e300), (2,), "3 or more"),
        (Allowed(), (-5, 0.0), (), "a finite number"),
        (Allowed(one_of=(4, 8)), (4, 8), (5,), "one of 4, 8"),
    ],
)
def test_numbers(allowed, accepted, refused, words):
    assert all(map(allowed.accepts, accepted))
    assert not any(map(allowed.accepts, (*refused, math.nan)))
    assert allowed.describe(0) == words
    if allowed.at_most != math.inf:
        assert not allowed.accepts(math.inf)


def test_lists_are_checked_element_by_element_and_by_their_length():
    three = Allowed(at_least=0, at_most=9, items=(3, 3))
    assert three.accepts([0, 9, 1])
    assert not three.accepts([0, 10, 1])
    assert not three.accepts((0, 1))
    assert three.describe([1]) == "3 values, each from 0 to 9"
    some = Allowed(items=(1, 2000))
    assert some.accepts(["a"])
    assert not some.accepts([])
    assert not some.accepts(["a", " "])
    assert some.describe(["a", ""]) == "1 to 2,000 values, each text that is not empty"


def test_text_is_neither_blank_nor_cut_by_a_zero():
    text = Allowed()
    assert text.accepts("a")
    assert not any(map(text.accepts, ("", "  ", "a\0b")))
    assert text.describe("") == "text that is not empty"
    assert Allowed(one_of=("a", "b")).describe("c") == "one of a, b"


@pytest.mark.parametrize("path", ["a", "../a b/ü", "/" + "/".join(["x" * 255] * 9)])
def test_paths(path):
    assert Allowed(is_path=True).accepts(path)


@pytest.mark.parametrize("path", ["", " ", "a\0", "x" * 256, "a/" + "ü" * 128, "\ud800"])
def test_what_no_file_system_takes(path):
    allowed = Allowed(is_path=True)
    assert not allowed.accepts(path)
    assert allowed.describe(path) == "a path, not empty, of names of at most 255 bytes"


@dataclass
class Group:
    share: float = setting(0.5, at_least=0, at_most=1)
    any_number: float = 7.0


@dataclass
class Config:
    folder: str = path_setting("a")
    sizes: list[int] = setting([1, 2], at_least=1)
    limit: int | None = setting(None, at_least=1)
    group: Group = field(default_factory=Group)


def test_a_config_is_checked_with_its_groups():
    check_values(Config(), "c.yaml")
    check_values(Config(limit=1), "c.yaml")
    for config, message in (
        (Config(folder=""), "c.yaml: folder is ''; it must be a path"),
        (
            Config(sizes=[1, 0]),
            "c.yaml: sizes is [1, 0]; it must be 0 to 10,000 values, each 1 or more",
        ),
        (Config(limit=0), "c.yaml: limit is 0; it must be 1 or more"),
        (Config(group=Group(share=2)), "c.yaml: group.share is 2; it must be from 0 to 1"),
    ):
        with pytest.raises(InputError) as error:
            check_values(config, "c.yaml")
        assert str(error.value).startswith(message)


def test_defaults_that_are_lists_are_not_shared():
    Config().sizes.append(3)
    assert Config().sizes == [1, 2]

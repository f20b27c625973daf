import math

import pytest

from ovarnet.data.fields import (
    as_flag,
    as_id,
    as_name,
    as_number,
    as_whole_number,
    as_word,
    check_ids,
    ids_of,
    records_of,
)
from ovarnet.errors import InputError

JUNK = ("x", "", " ", None, True, [], {}, [1], math.nan, math.inf, "nan", "inf", "1_0", 10**400)


@pytest.mark.parametrize(
    ("value", "number"),
    [(7, 7), (7.5, 7.5), ("7.5", 7.5), (" -3 ", -3), (0, 0), ("1e3", 1000)],
)
def test_numbers(value, number):
    assert as_number(value) == number


def test_whole_numbers():
    assert [as_whole_number(value) for value in (7, 7.0, "7", "7.0", -2)] == [7, 7, 7, 7, -2]
    assert as_whole_number(7.5) is None


@pytest.mark.parametrize("value", JUNK)
def test_junk_is_no_number(value):
    assert as_number(value) is None
    assert as_whole_number(value) is None


def test_ids_are_the_same_in_every_type():
    assert [as_id(value) for value in (7, 7.0, "7", " 7 ")] == ["7"] * 4
    assert as_id("007") == "007"
    assert as_id(10**30) == "1" + "0" * 30
    for value in (None, "", " ", True, 7.5, [], {}):
        assert as_id(value) is None


@pytest.mark.parametrize(
    ("values", "flag"),
    [
        ((0, 0.0, False, "0", "false", "False", "", None), False),
        ((1, 1.0, True, "1", "true", " TRUE "), True),
        (("no", 2, -1, 0.5, [], {}, "10"), None),
    ],
)
def test_flags(values, flag):
    assert [as_flag(value) for value in values] == [flag] * len(values)


def test_words_and_names():
    assert as_word(" light blue ") == "light blue"
    assert as_word("x" * 200) == "x" * 200
    for value in ("", " ", "x" * 201, "half \ud83d", None, 7, True, ["red"]):
        assert as_word(value) is None
    assert as_name(7) == "7"
    assert as_name("seven") == "seven"
    assert as_name(True) is None


def test_lists_of_records():
    assert records_of({"images": [{"id": 1}]}, "images", "a.json") == [{"id": 1}]
    for wrong in ({}, {"images": None}, {"images": {}}, {"images": [1]}):
        with pytest.raises(InputError, match=r"a\.json: 'images' must be a list of objects"):
            records_of(wrong, "images", "a.json")


def test_an_id_twice():
    assert ids_of([{"id": 1}, {"id": "x"}, {}, {"id": None}]) == ["1", "x"]
    check_ids(["1", "2"], "image", "a.json")
    check_ids([], "image", "a.json")
    with pytest.raises(InputError, match=r"a\.json: image id 1 occurs 2 times; give each image"):
        check_ids(["1", "2", "1"], "image", "a.json")

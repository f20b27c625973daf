"""Groups and splits: one group never lies in two splits, and a split never changes."""

import hashlib

import pytest

from ovarnet.catalogue.data.split import across_splits, draw_split, split_products
from ovarnet.catalogue.product import Product
from ovarnet.errors import InputError


def products(*titles, **values):
    return [Product(str(n), (f"{n}.jpg",), title, **values) for n, title in enumerate(titles)]


def hashes(count):
    return [f"photo{n}" for n in range(count)]


def test_a_split_is_a_function_of_the_hash_of_the_group():
    share = int(hashlib.sha256(b"title red mug").hexdigest()[:8], 16) / 2**32
    expected = "train" if share < 0.7 else "val" if share < 0.76 else "test"
    assert draw_split("title red mug") == expected
    counts = [draw_split(f"group {n}") for n in range(20_000)]
    assert counts.count("train") == pytest.approx(14_000, abs=250)
    assert counts.count("val") == pytest.approx(1200, abs=130)


def test_titles_that_differ_in_case_and_spaces_only_are_one_group():
    found = split_products(products("Red Mug", "red  mug", "blue mug"), hashes(3))
    assert [item.group for item in found] == ["title red mug", "title red mug", "title blue mug"]
    assert found[0].split == found[1].split


def test_a_shared_photo_joins_groups_whatever_the_order():
    items = products("c", "b", "a")
    forward = split_products(items, ["x", "x", "y"])
    backward = split_products(items[::-1], ["y", "x", "x"])
    assert [item.group for item in forward] == [item.group for item in backward][::-1]
    assert forward[0].group == forward[1].group != forward[2].group


def test_products_that_are_added_change_no_split():
    titles = [f"title {n}" for n in range(300)]
    few = split_products(products(*titles[:200]), hashes(200))
    many = split_products(products(*titles), hashes(300))
    assert [item.split for item in few] == [item.split for item in many[:200]]


def test_a_given_split_is_kept_and_checked():
    both = products("a", split="val") + products("b", split="test")
    assert [item.split for item in split_products(both, hashes(2))] == ["val", "test"]
    with pytest.raises(InputError, match="one group and are in val and test; put both into one"):
        split_products(
            products("a", split="val", group="g") + products("b", split="test", group="g"),
            hashes(2),
        )
    with pytest.raises(InputError, match="states no split and others do"):
        split_products(products("a", split="val") + products("b"), hashes(2))


def test_titles_that_given_splits_share_are_found():
    both = [*products("a", "b", split="val"), Product("9", ("9.jpg",), "A", split="test")]
    assert across_splits(split_products(both, hashes(3))) == ["title a"]

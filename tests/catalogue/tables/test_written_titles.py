"""Scores of titles: all titles of a group are right; the nearest photo's title."""

from types import SimpleNamespace

import torch

from ovarnet.catalogue.product import Product
from ovarnet.catalogue.tables.written_titles import (
    BLEU,
    FREQUENT,
    NEAREST,
    ROUGE,
    scores,
    title_baselines,
)


def product(name, title, group=""):
    return Product(name, (name,), title, group=group or name)


def test_titles_of_a_group_are_all_right():
    products = [product("a", "Red mug of clay", "g"), product("b", "Mug of red clay", "g")]
    assert scores(["mug of red clay"] * 2, products)[BLEU] == 100
    alone = [product("a", "Red mug of clay"), product("b", "Mug of red clay")]
    assert scores(["mug of red clay"] * 2, alone)[BLEU] < 100


DRAWN = SimpleNamespace(
    training=[product("0", "Red mug"), product("1", "Blue plate"), product("2", "Red mug")],
    spread=[product("1", "Blue plate"), product("0", "Green cup")],
    encoder=SimpleNamespace(photos=lambda products: torch.eye(3)[[int(p.id) for p in products]]),
)
"""The photo of test product n is that of training product n."""


def test_baselines():
    rows = title_baselines(DRAWN)
    assert rows[FREQUENT][ROUGE] == 0
    assert rows[NEAREST][ROUGE] == 50

"""Triples of query, title and photo: what is wrong in them, and the AUC by hand."""

from types import SimpleNamespace

import numpy as np
import torch

from ovarnet.catalogue.product import Product
from ovarnet.catalogue.tables.queries import AUC, PHOTO, WORDS, auc, query_baselines, query_triples


def product(color, query, title="Mug"):
    return Product("x", ("x",), title, subcategory="mug", labels={"color": color, "query": query})


def test_wrong_queries_name_what_the_product_has_not():
    products = [product("red", "red mug"), product("blue", "blue mug"), product("red", "mug")]
    right, wrong = query_triples(products)
    assert right == ["red mug", "blue mug", "mug"]
    assert wrong == ["blue mug", "red mug", "blue mug"]
    assert query_triples([product("red", "mug")]) == (["mug"], ["mug"])


def test_auc_counts_ties_half():
    assert auc(np.array([2.0, 1.0]), np.array([1.0, 0.0])) == (3 + 0.5) / 4


def unit(texts):
    return torch.tensor([[1.0, 0.0] if "red" in text else [0.0, 1.0] for text in texts])


DRAWN = SimpleNamespace(
    test=[product("red", "red mug", "Red mug"), product("blue", "blue mug", "Mug")],
    images=unit(["red", "blue"]),
    encoder=SimpleNamespace(texts=unit),
)


def test_baselines():
    rows = query_baselines(DRAWN)
    assert rows[PHOTO] == {AUC: 100}
    # right: both words and one of two; wrong: one of two words twice
    assert rows[WORDS] == {AUC: 75}

"""Baselines of labels, by hand."""

import pytest

from ovarnet.catalogue.product import Product
from ovarnet.catalogue.tables.labels import COLUMNS, MAJORITY, TFIDF, TITLES, label_baselines


def product(color, kind):
    labels = {"color": color, "pattern": "plain"}
    return Product("x", ("x",), f"{color} {kind}", "home", kind, labels)


def test_baselines():
    pytest.importorskip("sklearn")
    training = [
        product(*p) for p in (("red", "mug"), ("red", "cup"), ("red", "cup"), ("blue", "mug"))
    ]
    training = [*training, product("blue", "cup")]
    # patterns of one value cannot be learned by a classifier, so one differs
    odd = Product(
        "y", ("y",), "striped red cup", "toys", "cup", {"color": "red", "pattern": "striped"}
    )
    rows = label_baselines([*training, odd], [product("red", "mug"), product("blue", "mug")])
    assert list(rows) == [MAJORITY, TFIDF]
    assert list(rows[TFIDF]) == TITLES
    assert len(TITLES) == 2 * len(COLUMNS)
    assert rows[MAJORITY]["color: accuracy"] == 50
    assert rows[MAJORITY]["color: macro-F"] == pytest.approx(100 / 3)  # of red 2/3, of blue 0
    assert rows[MAJORITY]["subcategory: accuracy"] == 0
    assert rows[TFIDF]["color: accuracy"] == 100
    assert rows[TFIDF]["subcategory: macro-F"] == 100

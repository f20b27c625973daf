"""The products that the tables evaluate on, and what rows are compared with."""

import numpy as np
import pytest

from ovarnet.catalogue.data.prepared import write_prepared
from ovarnet.catalogue.product import Product
from ovarnet.catalogue.tables import queried
from ovarnet.catalogue.tables.sizes import Sizes

COLORS = ("red", "blue", "green", "black")


def products(split, count):
    return [
        Product(
            f"{split}{n}",
            (f"{split}{n}.jpg",),
            f"{COLORS[n % 4].title()} mug" if n % 3 else "Mug",
            category="kitchen",
            subcategory=("mug", "plate")[n % 2],
            labels={"color": COLORS[n % 4], "query": "mug"},
            group=f"{split}{n}",
            split=split,
        )
        for n in range(count)
    ]


class Vectors:
    """Photos and titles of a product have one direction each."""

    def photos(self, items, progress=""):
        import torch

        return torch.eye(300)[[int(item.id.strip("trainesvl")) for item in items]]

    def texts(self, texts):
        import torch

        return torch.eye(300)[[2 * row for row in range(len(texts))]]


@pytest.fixture
def found(tmp_path):
    write_prepared(tmp_path, [*products("train", 12), *products("test", 240)])
    sizes = Sizes(kinds=1, training_products=8, queries=5, spread=6)
    made = queried.QueriedProducts(tmp_path, sizes, kinds=1)
    made.encoder = Vectors()
    return made


def test_products_and_queries(found):
    assert {product.subcategory for product in found.test} == {"mug"}
    assert (len(found.test), len(found.training), len(found.spread)) == (120, 8, 6)
    assert {product.subcategory for product in found.spread} == {"mug", "plate"}
    assert found.pools.rows.shape == (5, 101)
    assert found.pools.rows[:, 0].tolist() == found.queries


def test_baselines(found):
    rows = found.baselines
    assert rows["chance"]["title → photo: R@1"] == pytest.approx(100 / 101)
    assert rows["chance"]["title → photo, all 120: R@10"] == pytest.approx(100 / 12)
    assert rows["dual encoder"]["title → photo, all 120: R@1"] == 100
    assert rows["TF-IDF"].keys() == rows["oracle"].keys()
    # a title says one of two colours, or nothing
    said = np.mean([1 / 60 if q % 3 else 1 / 120 for q in (2 * row for row in found.queries)])
    assert rows["oracle"]["title → photo, all 120: R@1"] == pytest.approx(100 * said)


def test_what_a_title_says():
    mug, other = (
        Product(name, ("x",), title, subcategory="mug", labels={"color": color, "query": "q"})
        for name, title, color in (("a", "Red mug", "red"), ("b", "Colored mug", "blue"))
    )
    assert not queried.says(mug, other, queried.SHOWN)
    assert queried.says(other, mug, queried.SHOWN)  # "red" within a word says nothing

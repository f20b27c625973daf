"""What the server asks of a catalogue is what `ProductFinder` has."""

import inspect

import pytest

from ovarnet.catalogue.product import Product
from ovarnet.catalogue.search.index import Hit
from ovarnet.catalogue.search.product_finder import ProductFinder
from ovarnet.serving import product_search


def members(protocol):
    return {name for name in vars(protocol) if name == "__len__" or not name.startswith("_")}


@pytest.mark.parametrize(
    ("protocol", "wanted", "offered"),
    [
        (product_search.ProductSearch, {"model", "labels", "photo"}, ProductFinder),
        (product_search.Hit, {"product", "score"}, Hit),
        (product_search.Product, {"id", "title", "all_labels"}, Product),
    ],
)
def test_members_exist(protocol, wanted, offered):
    fields = set(getattr(offered, "__dataclass_fields__", ()))
    assert wanted <= members(protocol) <= set(dir(offered)) | fields


@pytest.mark.parametrize("name", ["by_phrase", "by_photo"])
def test_searches_take_the_same_arguments(name):
    wanted = list(inspect.signature(getattr(product_search.ProductSearch, name)).parameters)
    offered = list(inspect.signature(getattr(ProductFinder, name)).parameters)
    assert offered[: len(wanted)] == wanted

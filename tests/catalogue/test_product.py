"""Records of a catalogue: unique ids, label columns, splits."""

import pytest

from ovarnet.catalogue.product import Catalogue, Product
from ovarnet.errors import InputError


def product(name, **values):
    return Product(name, (f"{name}.jpg",), f"title {name}", **values)


def test_labels_hold_category_and_subcategory_where_known():
    shoe = product("1", category="Shoes", labels={"color": "red"})
    assert shoe.all_labels == {"category": "Shoes", "color": "red"}
    assert shoe.image == "1.jpg"


def test_columns_and_values_in_order_of_occurrence():
    catalogue = Catalogue(
        [
            product("1", labels={"color": "red"}),
            product("2", labels={"color": "blue", "brand": "x"}),
            product("3", labels={"color": "red"}),
        ],
        "shop",
    )
    assert catalogue.columns == ("color", "brand")
    assert catalogue.values("color") == ["red", "blue"]
    with pytest.raises(InputError, match=r"no label column 'colr' .did you mean 'color'"):
        catalogue.values("colr")


def test_a_split_holds_its_products_only():
    catalogue = Catalogue([product("1", split="train"), product("2", split="test")], "shop")
    assert [item.id for item in catalogue.split("test")] == ["2"]
    with pytest.raises(InputError, match="no product is in split 'val'"):
        catalogue.split("val")


def test_ids_are_unique_and_an_empty_catalogue_is_refused():
    with pytest.raises(InputError, match="id '1' occurs twice"):
        Catalogue([product("1"), product("1")], "shop")
    with pytest.raises(InputError, match="no product"):
        Catalogue([], "shop")

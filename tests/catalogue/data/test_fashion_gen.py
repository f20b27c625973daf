"""Fashion-Gen's files: views grouped by the value of the product id, accents kept."""

import numpy as np
import pytest
from shop_files import write_fashion_gen

from ovarnet.catalogue.data.fashion_gen import read_fashion_gen
from ovarnet.errors import InputError
from ovarnet.io.images import read_image
from ovarnet.io.skipped import Skipped

h5py = pytest.importorskip("h5py")


def test_products_with_their_views(tmp_path):
    path = write_fashion_gen(tmp_path / "a.h5", products=3, views=2)
    products = read_fashion_gen(path, "test", Skipped())
    assert [item.id for item in products] == ["100", "101", "102"]
    assert products[1].images == (f"{path}@2", f"{path}@3")
    assert products[1].title == "Café plate no. 1"
    assert (products[1].category, products[1].subcategory) == ("TOPS", "T-SHIRTS")
    assert products[1].labels == {"gender": "Women"}
    assert read_image(products[1].image).shape == (256, 256, 3)


def test_rows_of_a_product_need_not_be_neighbours(tmp_path):
    path = write_fashion_gen(tmp_path / "a.h5", products=4, views=1)
    with h5py.File(path, "r+") as file:
        file["input_productID"][...] = np.array([[5], [6], [5], [6]])
    products = read_fashion_gen(path, "", Skipped())
    assert [(item.id, item.images) for item in products] == [
        ("5", (f"{path}@0", f"{path}@2")),
        ("6", (f"{path}@1", f"{path}@3")),
    ]


def test_another_form_is_named(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["input_image"] = np.zeros((2, 4, 4, 3), np.uint8)
    with pytest.raises(InputError, match="no input_productID in it; it has input_image"):
        read_fashion_gen(path, "", Skipped())
    path = write_fashion_gen(tmp_path / "b.h5")
    with h5py.File(path, "r+") as file:
        del file["input_image"]
        file["input_image"] = np.zeros((8, 4, 4), np.float32)
    with pytest.raises(InputError, match=r"float32 \(8, 4, 4\); it must be uint8"):
        read_fashion_gen(path, "", Skipped())

import numpy as np
import pytest
import torch
from PIL import Image

from ovarnet.catalogue.product import Catalogue, Product
from ovarnet.catalogue.search import product_finder
from ovarnet.catalogue.search.index import IndexSettings, SearchIndex
from ovarnet.catalogue.search.product_finder import ProductFinder, open_finder
from ovarnet.errors import InputError


class Encoder:
    """A text or photo is the first axis if it is about red, else the second."""

    name, hash = "axes", "abcd"

    def texts(self, texts, truncate):
        assert not truncate
        return torch.stack([self.axis("red" in text) for text in texts])

    def photo(self, image, box):
        return self.axis(image[0, 0 if box is None else box[0], 0] > 100)

    @staticmethod
    def axis(is_red):
        return torch.tensor([1.0, 0.0] if is_red else [0.0, 1.0])


@pytest.fixture
def index(tmp_path):
    Image.new("RGB", (8, 6), (7, 0, 0)).save(tmp_path / "a.png")
    products = [
        Product(
            f"p{n}",
            (str(tmp_path / "a.png"),),
            f"title {n}",
            category="all the same",
            labels={"color": ("red", "blue")[n % 2], "number": f"{n}"},
        )
        for n in range(4)
    ]
    vectors = np.array([[1, 0], [0, 1], [0.8, 0.6], [0.6, 0.8]], np.float16)
    settings = IndexSettings("axes", "abcd", 0.1, True)
    return SearchIndex(Catalogue(products, "shop"), vectors, settings)


@pytest.fixture
def finder(index):
    return ProductFinder(index, Encoder())


def ids(hits):
    return [hit.product.id for hit in hits]


def test_by_phrase(finder):
    assert ids(finder.by_phrase("a red mug", 2)) == ["p0", "p2"]
    assert ids(finder.by_phrase("a mug", 2, {"color": "red"})) == ["p2", "p0"]


def test_by_photo_or_a_box_of_it(finder):
    image = np.zeros((4, 4, 3), np.uint8)
    image[:, 2:] = 200
    assert ids(finder.by_photo(image, 1)) == ["p1"]
    assert ids(finder.by_photo(image, 1, box=(2, 0, 4, 4))) == ["p0"]


def test_labels_are_those_worth_a_filter(finder):
    """Not a column of one value, nor one that names each product."""
    assert finder.labels == {"color": ["blue", "red"]}


def test_size_model_and_photos(finder):
    assert (len(finder), finder.model) == (4, "axes")
    assert finder.photo("p1").shape == (6, 8, 3)
    assert finder.photo("p9") is None


def test_the_model_is_that_of_the_index(index, monkeypatch):
    opened = []

    def load(name, device, foreground):
        opened.append((name, device, foreground))
        return Encoder()

    monkeypatch.setattr(product_finder, "load_encoder", load)
    open_finder(index, device="cpu")
    assert opened == [("axes", "cpu", True)]
    monkeypatch.setattr(Encoder, "hash", "other")
    with pytest.raises(InputError, match="and mine has weights other"):
        open_finder(index, "mine")

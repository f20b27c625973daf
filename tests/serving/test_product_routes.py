"""The API of products, around a catalogue without a model."""

import io
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from ovarnet.errors import InputError
from ovarnet.serving.limits import Limits


@dataclass
class Shelf:
    """Three products; the one whose title is nearest in length to the query comes first."""

    model = "none"
    labels = {"color": ["blue", "red"]}  # noqa: RUF012
    products = tuple(
        SimpleNamespace(id=f"{n}/é", title="x" * n, all_labels={"color": ("red", "blue")[n % 2]})
        for n in range(3)
    )

    def __len__(self):
        return len(self.products)

    def by_phrase(self, phrase, top, where):
        if where.keys() - {"color"}:
            raise InputError("no label column 'size'")
        kept = [product for product in self.products if where.items() <= product.all_labels.items()]
        kept.sort(key=lambda product: abs(len(product.title) - len(phrase)))
        return [SimpleNamespace(product=product, score=0.5) for product in kept[:top]]

    def by_photo(self, image, top, where):
        return self.by_phrase("x" * (image[0, 0, 0] // 100), top, where)

    def photo(self, product_id):
        known = [product.id for product in self.products]
        return np.zeros((400, 800, 3), np.uint8) if product_id in known else None


@pytest.fixture
def shop(make_client):
    return make_client(products=Shelf())


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [product["id"] for product in answer.json()["products"]]


def test_about_the_catalogue(shop):
    assert shop.get("/api/products").json() == {
        "products": 3,
        "model": "none",
        "labels": {"color": ["blue", "red"]},
    }
    assert shop.get("/api/model").json()["products"] == 3


def test_by_phrase(shop):
    answer = shop.post("/api/products/find", json={"phrase": " xx ", "top": 2})
    assert ids(answer) == ["2/é", "1/é"]
    assert answer.json()["query"] == "xx"
    assert answer.json()["products"][0] == {
        "rank": 1,
        "score": 0.5,
        "id": "2/é",
        "title": "xx",
        "labels": {"color": "red"},
    }
    where = {"phrase": "xx", "where": {"color": "blue"}}
    assert ids(shop.post("/api/products/find", json=where)) == ["1/é"]


def test_by_photo(shop, make_png):
    files = {"image": ("folder/my.png", make_png(colour=(200, 0, 0)))}
    answer = shop.post("/api/products/find-by-photo", files=files, data={"query": '{"top": 1}'})
    assert ids(answer) == ["2/é"]
    assert answer.json()["query"] == "my.png"


def test_photo_of_a_product_is_small(shop):
    answer = shop.get("/api/products/photo", params={"id": "1/é"})
    assert answer.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(answer.content)).size == (320, 160)
    assert shop.get("/api/products/photo", params={"id": "/etc/passwd"}).status_code == 404


@pytest.mark.parametrize(
    ("query", "status", "error"),
    [
        ({"phrase": " "}, 400, "the phrase is empty; write what to find, such as \"a red mug\""),
        ({"phrase": "x", "where": {"size": "1"}}, 400, "no label column 'size'"),
        ({"phrase": "x", "limit": 3}, 422, "limit: no such field; /docs lists those there are"),
        ({"phrase": "x", "top": 0}, 422, "top: Input should be greater than or equal to 1"),
        ({}, 422, "phrase: Field required"),
    ],
)  # fmt: skip
def test_bad_queries(shop, query, status, error):
    answer = shop.post("/api/products/find", json=query)
    assert (answer.status_code, answer.json()) == (status, {"error": error})


def test_bad_photos(make_client, make_png):
    shop = make_client(products=Shelf(), limits=Limits(pixels=100))

    def send(content, **data):
        return shop.post(
            "/api/products/find-by-photo", files={"image": ("a.png", content)}, data=data
        )

    assert send(make_png(20, 20)).status_code == 413
    assert send(b"text").json()["error"].startswith("a.png: not an image")
    assert send(make_png(9, 9), query='{"box": 1}').status_code == 422
    assert send(make_png(9, 9), words="x").status_code == 422


def test_without_a_catalogue_there_is_no_such_page(client):
    for path in ("/products", "/api/products", "/api/products/photo?id=1"):
        assert client.get(path).status_code == 404


def test_the_page_and_every_file_it_names_are_served(shop):
    page = shop.get("/products")
    assert page.headers["content-security-policy"].startswith("default-src 'self'; ")
    for name in ("/static/products.js", "/static/style.css"):
        assert name in page.text
        assert shop.get(name).status_code == 200

"""Least fitting products first; a photo that cannot be read costs its product alone."""

import torch

from ovarnet.catalogue.matching import match_products
from ovarnet.catalogue.product import Product
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped

PRODUCTS = [
    Product(id=name, images=(f"{name}.png",), title=title)
    for name, title in (("a", "xxx"), ("b", "x"), ("c", "xx"), ("d", "xxxx"))
]


class Lengths:
    """Scores a pair by the lengths of title and query; the photo of b is broken."""

    def score(self, titles, images, queries=None):
        if "b.png" in images:
            raise InputError("b.png: not an image")
        asked = queries or [""] * len(titles)
        return torch.tensor([len(t) / 10 + len(q) for t, q in zip(titles, asked, strict=True)])


def test_sorted_and_without_the_broken_photo():
    skipped = Skipped()
    found = match_products(Lengths(), PRODUCTS, skipped=skipped)
    assert [match.product.id for match in found] == ["c", "a", "d"]
    assert [round(match.score, 6) for match in found] == [0.2, 0.3, 0.4]
    assert skipped.items == {"image unreadable": ["b.png: not an image"]}


def test_queries_belong_to_their_products():
    found = match_products(Lengths(), PRODUCTS, ["qq", "q", "q", ""], skipped=Skipped())
    assert [match.product.id for match in found] == ["d", "c", "a"]

"""Groups of products that count as one, and their split into train, val and test.

A split is drawn per group from a hash, so that it does not change when products are added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ovarnet.catalogue.product import SPLITS, Product
from ovarnet.errors import InputError

TRAIN, VAL = 0.70, 0.76
"""Where train and val end on [0, 1)."""


def split_products(products: Sequence[Product], photo_hashes: Sequence[str]) -> list[Product]:
    """Give every product its group and, where it has none, its split.

    Products are of one group if they share a given group, a title (compared by `same_title`) or
    the bytes of a photo. A split that the catalogue states is kept.

    Args:
        products: N products.
        photo_hashes: N hashes of their photos' bytes; equal ones join groups.

    Returns:
        N products with `group` and `split`.

    Raises:
        InputError: Products of one given group state different splits, or only some products
            state one. Titles and photos that given splits share are found by `across_splits`.
    """
    given = [product for product in products if product.split]
    if given and len(given) < len(products):
        missing = next(product for product in products if not product.split)
        raise InputError(
            f"product {missing.id!r:.60} states no split and others do; fill the whole column, or "
            "leave it empty"
        )
    groups = _groups(products, photo_hashes)
    if given:
        _check_given(products)
    return [
        replace(product, group=group, split=product.split or draw_split(group))
        for product, group in zip(products, groups, strict=True)
    ]


def across_splits(products: Iterable[Product]) -> list[str]:
    """Groups with products in more than one split, which only given splits can have."""
    splits: dict[str, set[str]] = {}
    for product in products:
        splits.setdefault(product.group, set()).add(product.split)
    return [group for group, found in splits.items() if len(found) > 1]


def draw_split(group: str) -> str:
    """The split of a group: a function of its name alone."""
    share = int.from_bytes(hashlib.sha256(group.encode()).digest()[:4], "big") / 2**32
    return SPLITS[(share >= TRAIN) + (share >= VAL)]


def same_title(title: str) -> str:
    """What two titles that count as the same have in common: case and spaces do not matter."""
    return " ".join(title.casefold().split())


def _groups(products: Sequence[Product], photo_hashes: Iterable[str]) -> list[str]:
    """Names of the products' groups: the first, by `_rank`, of the keys that members share."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            parent[key] = key = parent[parent[key]]
        return key

    titles = [f"title {same_title(product.title)}" for product in products]
    for product, title, photo in zip(products, titles, photo_hashes, strict=True):
        keys = [title, f"photo {photo}"] + ([f"group {product.group}"] if product.group else [])
        for key in keys:
            # one name stays whatever the order of the products
            first, last = sorted((root(title), root(key)), key=_rank)
            parent[last] = first
    return [root(title) for title in titles]


def _rank(key: str) -> tuple[int, str]:
    """Which key names a group: a given group before a title before a photo."""
    return ("group", "title", "photo").index(key.partition(" ")[0]), key


def _check_given(products: Sequence[Product]) -> None:
    first: dict[str, Product] = {}
    for product in filter(lambda product: product.group, products):
        other = first.setdefault(product.group, product)
        if product.split != other.split:
            raise InputError(
                f"products {other.id!r:.60} and {product.id!r:.60} are of one group and are in "
                f"{other.split} and {product.split}; put both into one split"
            )

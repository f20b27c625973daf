"""Products in words: which attributes a drawn product has, its titles and its query."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

from ovarnet.scenes.world.words import ATTRIBUTES, CATEGORIES, Category

BORDERS = ("", "outlined")
CONDITIONS = ("", *ATTRIBUTES["condition"])
MENTIONED = {"color": 0.9, "pattern": 0.7, "finish": 0.6, "border": 0.6, "condition": 0.7}
"""How often a title says an attribute."""
UNSAID = ("", "plain", "matte")
"""What no title says: it is what a product is unless something else is said."""
BRAND_RATE = 0.5
BRANDS = ("Arvo", "Belmo", "Corin", "Dusko", "Elvane", "Fenwick", "Galdo", "Harlow")
"""Words of titles that no photo shows."""
STYLES = (
    "{brand} {words} {noun}",
    "{brand} {noun}, {words}",
    "{words} {noun} by {brand}",
    "New {words} {noun} {brand}",
)
SPLIT_SHARES = (("train", 75 / 191), ("val", 6 / 191), ("test", 110 / 191))
"""Of each subcategory, so that a full-size catalogue has 110 test products of every one."""


@dataclass(frozen=True)
class ProductWords:
    """A product before it is drawn.

    Attributes:
        category: The noun, its subcategory.
        labels: color, pattern, finish, border and condition; "" for none of the last two.
        title: As a shop writes it.
        query: As somebody who looks for it may write it: the noun and one or two attributes.
    """

    category: Category
    labels: dict[str, str]
    title: str
    query: str


@cache
def combinations() -> tuple[tuple[str, ...], ...]:
    """All combinations of color, pattern, finish, border and condition."""
    return tuple(
        product(
            ATTRIBUTES["color"], ATTRIBUTES["pattern"], ATTRIBUTES["finish"], BORDERS, CONDITIONS
        )
    )


def product_words(seed: int, index: int) -> ProductWords:
    """The words of a product: no two of one subcategory have the same attributes.

    Args:
        seed: Of the catalogue.
        index: Of the product; the subcategories take turns.
    """
    kind, number = index % len(CATEGORIES), index // len(CATEGORIES)
    order = np.random.default_rng([seed, 1, kind]).permutation(len(combinations()))
    labels = dict(zip(MENTIONED, combinations()[order[number % len(order)]], strict=True))
    rng = np.random.default_rng([seed, 2, index])
    noun = CATEGORIES[kind].name
    return ProductWords(
        CATEGORIES[kind], labels, _title(noun, labels, rng), _query(noun, labels, rng)
    )


def split_of(index: int, products: int) -> str:
    """The split of a product: equal shares of every subcategory."""
    per_kind = -(-products // len(CATEGORIES))
    place = (index // len(CATEGORIES) + 0.5) / per_kind
    for split, share in SPLIT_SHARES:
        if place < share:
            return split
        place -= share
    return SPLIT_SHARES[-1][0]


def _title(noun: str, labels: dict[str, str], rng: np.random.Generator) -> str:
    said = [
        word
        for (name, word), draw in zip(labels.items(), rng.random(len(labels)), strict=True)
        if word not in UNSAID and draw < MENTIONED[name]
    ]
    has_brand = rng.random() < BRAND_RATE
    brand = BRANDS[int(rng.random() * len(BRANDS))] if has_brand else ""
    styles = STYLES if has_brand else STYLES[:2]
    style = styles[int(rng.random() * len(styles))]
    text = style.format(brand=brand, words=" ".join(said), noun=noun)
    text = " ".join(text.split()).rstrip(", ").replace(" ,", ",")
    return text[:1].upper() + text[1:]


def _query(noun: str, labels: dict[str, str], rng: np.random.Generator) -> str:
    words = [word for word in labels.values() if word not in UNSAID]
    count = min(len(words), 1 + int(rng.random() < 0.5))
    chosen = sorted(rng.permutation(len(words))[:count].tolist())
    return " ".join([*(words[position] for position in chosen), noun])

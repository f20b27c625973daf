"""Scores every product's own title and photo, to find the pairs that do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tqdm import tqdm

from ovarnet.catalogue.matcher import Matcher
from ovarnet.catalogue.product import Product
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped

PRODUCTS_AT_ONCE = 32


@dataclass(frozen=True)
class Match:
    """How well a product's title and photo fit.

    Attributes:
        product: Whose.
        score: Probability in [0, 1] that they belong together.
    """

    product: Product
    score: float


def match_products(
    matcher: Matcher,
    products: Sequence[Product],
    queries: Sequence[str] | None = None,
    *,
    skipped: Skipped,
) -> list[Match]:
    """Score the first photo and the title of every product.

    Args:
        matcher: Trained.
        products: Of a catalogue.
        queries: A text of a customer for each product, which should fit too; None: no queries.
        skipped: Takes the products whose photo cannot be read.

    Returns:
        The least fitting product first; products of equal scores in the given order.
    """
    found: list[Match] = []
    starts = range(0, len(products), PRODUCTS_AT_ONCE)
    for start in tqdm(starts, desc="matching", unit="batch", mininterval=2.0):
        rows = range(start, min(start + PRODUCTS_AT_ONCE, len(products)))
        try:
            found += _match(matcher, products, queries, rows)
        except InputError:  # one by one, so that only the bad photo is left out
            for row in rows:
                try:
                    found += _match(matcher, products, queries, [row])
                except InputError as error:
                    skipped.add("image unreadable", str(error))
    return sorted(found, key=lambda match: match.score)


def _match(
    matcher: Matcher,
    products: Sequence[Product],
    queries: Sequence[str] | None,
    rows: Sequence[int],
) -> list[Match]:
    scores = matcher.score(
        [products[row].title for row in rows],
        [products[row].image for row in rows],
        None if queries is None else [queries[row] for row in rows],
    )
    return [Match(products[row], score) for row, score in zip(rows, scores.tolist(), strict=True)]

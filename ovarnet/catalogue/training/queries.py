"""Queries of customers that a product contradicts: wrong answers of query, title and photo."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from ovarnet.catalogue.modeling.wordpiece import TitleTokens, WordPiece
from ovarnet.catalogue.product import Product
from ovarnet.errors import InputError

ATTEMPTS = 50
"""Draws until a query with a word that is not said of the product is found; then any is taken."""


def queries_of(products: Sequence[Product], column: str) -> list[str]:
    """The query of each product.

    Args:
        products: With a label column of queries.
        column: Its name.

    Raises:
        InputError: There is no such column, or a product has none.
    """
    known = {name for product in products for name in product.all_labels}
    if column not in known:
        raise InputError(
            f"no product has a column {column}; query_column can be {', '.join(sorted(known))}"
        )
    for product in products:
        if not product.all_labels.get(column):
            raise InputError(
                f"product {product.id!r:.60} has no {column}; fill the column in, or name another "
                "query_column"
            )
    return [product.all_labels[column] for product in products]


class OtherQueries:
    """Draws queries of other products that contradict one.

    A query contradicts a product if a word of it stands neither in the title nor in the labels.

    Args:
        products: M, of at least two queries.
        queries: M.
        own: Column of the queries, which is no label.
        tokenizer: Of titles and queries.
        length: Most tokens.
    """

    def __init__(
        self,
        products: Sequence[Product],
        queries: Sequence[str],
        own: str,
        tokenizer: WordPiece,
        length: int,
    ):
        self.titles, self.queries = [product.title for product in products], list(queries)
        self.tokenizer, self.length = tokenizer, length
        self.said = [
            words_of(
                " ".join(
                    [
                        product.title,
                        *(v for column, v in product.all_labels.items() if column != own),
                    ]
                )
            )
            for product in products
        ]

    def draw(self, index: int, rng: random.Random) -> str:
        """A query that product `index` contradicts."""
        query = self.queries[index]
        for _ in range(ATTEMPTS):
            query = self.queries[rng.randrange(len(self.queries))]
            if not words_of(query) <= self.said[index]:
                break
        return query

    def tokens(self, index: int, rng: random.Random) -> TitleTokens:
        """Such a query with the title of the product."""
        return self.tokenizer.encode(self.titles[index], self.draw(index, rng), self.length)


def words_of(text: str) -> set[str]:
    """Lower-case words."""
    return set(re.findall(r"\w+", text.lower()))

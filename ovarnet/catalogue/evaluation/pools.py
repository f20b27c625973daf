"""Pools of candidates: the right answer and 100 wrong ones of the same subcategory.

The protocol of FashionBERT and what follows it. A small subcategory is topped up from the category,
and then from all products; how many of the wrong answers are of the subcategory is reported, since
easy ones raise every number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ovarnet.catalogue.product import Product
from ovarnet.errors import InputError

NEGATIVES = 100
DRAWS = 5


@dataclass(frozen=True)
class Pools:
    """Candidates of Q queries.

    Attributes:
        rows: (Q, 1 + NEGATIVES) int, rows of the products; column 0 is the query's own product.
        hard: Share of the negatives that are of the query's subcategory.
    """

    rows: np.ndarray
    hard: float


def draw_pools(
    products: Sequence[Product], queries: Sequence[int], seed: int, negatives: int = NEGATIVES
) -> Pools:
    """Draw a pool for every query.

    Args:
        products: N products, query and candidate alike.
        queries: Q rows of the products that are queried.
        seed: Of the draw.
        negatives: Wrong answers in a pool; none is of the query's group.

    Raises:
        InputError: There are too few products of other groups.
    """
    rng = np.random.default_rng(seed)
    groups, subcategories, categories = (
        _codes([getattr(product, name) for product in products])
        for name in ("group", "subcategory", "category")
    )
    rows, hard = np.empty((len(queries), 1 + negatives), np.int64), 0
    for position, query in enumerate(queries):
        others = groups != groups[query]
        same = others & (subcategories == subcategories[query])
        near = others & ~same & (categories == categories[query])
        order = [rng.permutation(np.flatnonzero(m)) for m in (same, near, others & ~same & ~near)]
        drawn = np.concatenate(order)[:negatives]
        if len(drawn) < negatives:
            raise InputError(
                f"a pool needs {negatives} products of other groups and there are {len(drawn)}; "
                "evaluate on more products"
            )
        hard += min(len(order[0]), negatives)
        rows[position] = query, *drawn
    return Pools(rows, hard / (len(queries) * negatives))


def _codes(names: Sequence[str]) -> np.ndarray:
    return np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)[1]

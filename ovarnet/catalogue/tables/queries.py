"""Query, title and photo together: does this product answer the query?

Triples of test products: each with its own query, and with one that contradicts it, of another
product of the same subcategory.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ovarnet.catalogue.matcher import load_matcher
from ovarnet.catalogue.product import Product
from ovarnet.catalogue.tables.queried import SHOWN, QueriedProducts
from ovarnet.catalogue.training.features import cached_features
from ovarnet.catalogue.training.queries import words_of
from ovarnet.evaluation.runs import Result

COLUMN = "query"
AUC = "AUC"
WORDS, PHOTO = "queries: their words in the title", "queries: dual encoder, query and photo"
MATCHER = "queries: matcher on query, title and photo"


def query_triples(products: Sequence[Product]) -> tuple[list[str], list[str]]:
    """A right and a wrong query for each product.

    Args:
        products: With a label column of queries.

    Returns:
        Their own queries, and those of others of the same subcategory of which a word is no label
        of the product; where there is none, their own is taken again, which counts as half right.
    """
    rng = random.Random(0)
    by_kind: dict[str, list[str]] = {}
    for product in products:
        by_kind.setdefault(product.subcategory, []).append(product.all_labels[COLUMN])
    right, wrong = [], []
    for product in products:
        shown = words_of(" ".join(product.all_labels.get(column, "") for column in SHOWN))
        others = [q for q in by_kind[product.subcategory] if not words_of(q) <= shown]
        right.append(product.all_labels[COLUMN])
        wrong.append(rng.choice(others) if others else right[-1])
    return right, wrong


def auc(right: np.ndarray, wrong: np.ndarray) -> float:
    """Share of pairs of a right and a wrong one that are in order; ties count half."""
    difference = right[:, None] - wrong[None]
    return float((difference > 0).mean() + 0.5 * (difference == 0).mean())


def query_baselines(drawn: QueriedProducts) -> dict[str, Result]:
    """The title alone, by words; the photo alone, by the dual encoder."""
    right, wrong = query_triples(drawn.test)
    titles = [words_of(product.title) for product in drawn.test]
    images = drawn.images

    def by_words(queries: Sequence[str]) -> np.ndarray:
        asked = [words_of(query) for query in queries]
        return np.array([len(q & t) / len(q) for q, t in zip(asked, titles, strict=True)])

    def by_photo(queries: Sequence[str]) -> np.ndarray:
        return (drawn.encoder.texts(queries) * images).sum(dim=1).numpy()

    return {
        row: {AUC: 100 * auc(score(right), score(wrong))}
        for row, score in ((WORDS, by_words), (PHOTO, by_photo))
    }


def matched_queries(checkpoint: Path, drawn: QueriedProducts, cache: Path) -> Result:
    """A matcher that was trained with queries."""
    matcher = load_matcher(checkpoint, device="cpu")
    patches = matcher.encode_images
    features = cached_features(
        drawn.test, patches.layout, patches.encoder, cache, foreground=patches.foreground
    )
    rows = range(len(drawn.test))
    shown = torch.stack([features.row(row)[: patches.layout.count] for row in rows])
    places = torch.stack([features.location(row) for row in rows])
    titles = [product.title for product in drawn.test]
    right, wrong = (
        matcher.score_features(titles, shown, places, queries).numpy()
        for queries in query_triples(drawn.test)
    )
    return {AUC: 100 * auc(right, wrong)}

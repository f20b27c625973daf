"""Retrieval of products by text and by photo, full and in pools of 101, as rows of a report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ovarnet.catalogue.evaluation.baselines import oracle_recall, tfidf_scores
from ovarnet.catalogue.evaluation.pools import DRAWS, NEGATIVES, draw_pools
from ovarnet.catalogue.evaluation.retrieval import CUTS, Retrieval, rank_all, rank_pools
from ovarnet.catalogue.product import Product
from ovarnet.evaluation.report import Report, Row

TEXT_TO_IMAGE, IMAGE_TO_TEXT = "text to image", "image to text"
POOL = f"pool of {NEGATIVES + 1}"


def evaluate_retrieval(
    products: Sequence[Product], images: np.ndarray, texts: np.ndarray, report: Report
) -> None:
    """Add the rows of a model: both directions, all products and pools.

    Args:
        products: N test products; every one is a query and a candidate.
        images: (N, D) unit vectors of their photos.
        texts: (N, D) unit vectors of their titles.
        report: Gets the rows and notes.
    """
    groups = np.array([product.group for product in products])
    similar = texts @ images.T
    protocol = f"all {len(products):,}"
    for direction, scores in ((TEXT_TO_IMAGE, similar), (IMAGE_TO_TEXT, similar.T)):
        report.rows += retrieval_rows(direction, protocol, rank_all(scores, groups, groups))

    others = len(products) - max(np.unique(groups, return_counts=True)[1])
    if others < NEGATIVES:
        report.notes.append(f"no {POOL}: there are too few products")
        return
    queries = range(len(products))
    draws = [draw_pools(products, queries, seed) for seed in range(DRAWS)]
    for direction, scores in ((TEXT_TO_IMAGE, similar), (IMAGE_TO_TEXT, similar.T)):
        found = [rank_pools(np.take_along_axis(scores, pools.rows, axis=1)) for pools in draws]
        joined = Retrieval(
            *(
                np.concatenate([getattr(part, name) for part in found])
                for name in ("ranks", "candidates", "positives")
            )
        )
        report.rows += retrieval_rows(direction, POOL, joined)
        spread = np.std([part.recall(1) for part in found])
        report.notes.append(
            f"{direction}, {POOL}: mean of {DRAWS} draws, standard deviation of R@1 "
            f"{100 * spread:.2f}"
        )
    report.notes.append(
        f"{POOL}: {100 * draws[0].hard:.1f} % of the wrong answers are of the query's subcategory"
    )


def add_baselines(
    report: Report,
    products: Sequence[Product],
    images: np.ndarray,
    training: Sequence[Product],
    training_images: np.ndarray,
    columns: Sequence[str],
) -> None:
    """Add the rows that a model is to be compared with, text to image among all products.

    Args:
        report: Gets the rows.
        products: N test products.
        images: (N, D) unit vectors of their photos.
        training: M training products.
        training_images: (M, D) unit vectors of their photos.
        columns: Labels that the oracle knows; without any, there is no oracle.
    """
    groups = np.array([product.group for product in products])
    protocol = f"all {len(products):,}"
    scores = tfidf_scores(
        [product.title for product in products],
        [product.title for product in training],
        training_images,
        images,
    )
    found = rank_all(scores, groups, groups)
    report.rows += retrieval_rows(TEXT_TO_IMAGE, f"{protocol}, TF-IDF baseline", found)
    if columns:
        name = f"{protocol}, who knows {', '.join(columns)}"
        report.rows += [
            Row(
                TEXT_TO_IMAGE,
                f"R@{cut}",
                name,
                "all",
                oracle_recall(products, products, columns, cut),
                found.chance(cut),
                len(products),
            )
            for cut in CUTS
        ]


def retrieval_rows(direction: str, protocol: str, found: Retrieval) -> list[Row]:
    """Recall at every cut with its level of chance, and the mean reciprocal rank."""
    queries = len(found.ranks)
    rows = [
        Row(direction, f"R@{cut}", protocol, "all", found.recall(cut), found.chance(cut), queries)
        for cut in CUTS
    ]
    mrr = found.mean_reciprocal_rank
    return [*rows, Row(direction, "MRR", protocol, "all", mrr, None, queries)]

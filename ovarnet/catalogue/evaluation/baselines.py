"""What a retrieval is to be compared with: a bag of words, and whoever knows the labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ovarnet.catalogue.evaluation.retrieval import chance_of_hit
from ovarnet.catalogue.product import Product
from ovarnet.errors import InputError

NEIGHBOURS = 5


def oracle_recall(
    queries: Sequence[Product], candidates: Sequence[Product], columns: Sequence[str], cut: int
) -> float:
    """Expected recall of who knows the query's labels exactly, and nothing else.

    Candidates with the same labels are in random order, before all others.

    Args:
        queries: Products that are queried.
        candidates: Products that are ranked; the queries' groups are among them.
        columns: Label columns that are known.
        cut: As in `Retrieval.recall`.
    """
    known = [tuple(product.all_labels.get(name) for name in columns) for product in candidates]
    members: dict[tuple, int] = {}
    positives: dict[tuple, int] = {}
    for product, labels in zip(candidates, known, strict=True):
        members[labels] = members.get(labels, 0) + 1
        key = (product.group, labels)
        positives[key] = positives.get(key, 0) + 1
    hits = []
    for product in queries:
        labels = tuple(product.all_labels.get(name) for name in columns)
        right = positives.get((product.group, labels), 0)
        hits.append(chance_of_hit(members.get(labels, 0), right, cut) if right else 0.0)
    return float(np.mean(hits))


def tfidf_scores(
    titles: Sequence[str],
    training_titles: Sequence[str],
    training_images: np.ndarray,
    images: np.ndarray,
) -> np.ndarray:
    """Text to image without a text tower.

    A title stands for the mean image vector of the `NEIGHBOURS` training products with the nearest
    titles, by TF-IDF of words and word pairs.

    Args:
        titles: Q queried titles.
        training_titles: M titles.
        training_images: (M, D) unit vectors of their photos.
        images: (N, D) unit vectors of the candidates.

    Returns:
        (Q, N) cosines.

    Raises:
        InputError: scikit-learn is not installed.
    """
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
    except ImportError:
        raise InputError(
            'the TF-IDF baseline needs scikit-learn; pip install "ovarnet[catalogue]"'
        ) from None
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    known = vectorizer.fit_transform(training_titles)
    similar = (vectorizer.transform(titles) @ known.T).toarray()
    nearest = np.argsort(-similar, axis=1, kind="stable")[:, :NEIGHBOURS]
    weights = np.take_along_axis(similar, nearest, axis=1) + 1e-6  # no word in common: the mean
    vectors = (training_images[nearest] * weights[..., None]).sum(axis=1)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors @ images.T

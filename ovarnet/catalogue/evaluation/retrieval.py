"""Ranks and recall of a retrieval, with ties counted against the model, and the level of chance.

Q queries, N candidates. A query may have several right answers (products of one group); its rank is
that of the best of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma

import numpy as np

CUTS = (1, 5, 10)


@dataclass(frozen=True)
class Retrieval:
    """The outcome of Q queries.

    Attributes:
        ranks: (Q,) int, from 1.
        candidates: (Q,) int, how many candidates each query had.
        positives: (Q,) int, how many of them were right.
    """

    ranks: np.ndarray
    candidates: np.ndarray
    positives: np.ndarray

    def recall(self, cut: int) -> float:
        """Share of the queries whose best right answer is among the first `cut`."""
        return float((self.ranks <= cut).mean())

    def chance(self, cut: int) -> float:
        """The expected recall of a random order: 1 - C(N - P, cut) / C(N, cut), averaged."""
        return float(
            np.mean(
                [
                    chance_of_hit(int(n), int(p), cut)
                    for n, p in zip(self.candidates, self.positives, strict=True)
                ]
            )
        )

    @property
    def mean_reciprocal_rank(self) -> float:
        """The mean of 1 / rank."""
        return float((1 / self.ranks).mean())

    @property
    def median_rank(self) -> float:
        """The median of the ranks."""
        return float(np.median(self.ranks))


def rank_all(scores: np.ndarray, query_groups: np.ndarray, groups: np.ndarray) -> Retrieval:
    """Rank all candidates for every query.

    Args:
        scores: (Q, N), larger is better.
        query_groups: (Q,) group of each query.
        groups: (N,) group of each candidate; those of the query's group are right.

    Raises:
        AssertionError: A query has no right answer among the candidates.
    """
    right = query_groups[:, None] == groups[None]
    assert right.any(axis=1).all(), "a query has no right answer among the candidates"
    best = np.where(right, scores, -np.inf).max(axis=1, keepdims=True)
    ranks = 1 + ((scores >= best) & ~right).sum(axis=1)
    candidates = np.full(len(scores), scores.shape[1])
    return Retrieval(ranks, candidates, right.sum(axis=1))


def rank_pools(scores: np.ndarray) -> Retrieval:
    """Rank the candidates of a pool for every query.

    Args:
        scores: (Q, N); column 0 is that of the right answer (`pools.draw_pools`).
    """
    ranks = 1 + (scores[:, 1:] >= scores[:, :1]).sum(axis=1)
    queries = len(scores)
    return Retrieval(ranks, np.full(queries, scores.shape[1]), np.ones(queries, np.int64))


def chance_of_hit(candidates: int, positives: int, cut: int) -> float:
    """Probability that a random order has one of the positives among its first `cut`."""
    negatives = candidates - positives
    if negatives < cut:
        return 1.0
    return 1 - float(np.exp(_log_choose(negatives, cut) - _log_choose(candidates, cut)))


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)

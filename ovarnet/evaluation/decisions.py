"""Which entries of a score matrix count as predicted positive: above a threshold, or in the top K.

Letters: N rows (boxes), A words.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from ovarnet.errors import InputError
from ovarnet.evaluation.protocols import Rule

Rounding = Literal["floor", "ceil"]

VAW_THRESHOLD = 0.5
VAW_TOP_K = 15
ROWS_PER_BLOCK = 4096
"""Rows partitioned at once, which bounds the work space."""


def resolve_threshold(threshold: float | Rounding | None, rule: Rule, scores: np.ndarray) -> float:
    """The threshold as a number: given, of the rule, or computed from the scores.

    Args:
        threshold: a number, a rounding for `ovad_threshold`, or None for the default of the rule
            (VAW: 0.5, OVAD: "floor").
        rule: "vaw" or "ovad".
        scores: (N, A), before OVAD clips them.
    """
    if threshold is None:
        threshold = VAW_THRESHOLD if rule == "vaw" else "floor"
    return ovad_threshold(scores, threshold) if isinstance(threshold, str) else float(threshold)


def ovad_threshold(scores: np.ndarray, rounding: Rounding) -> float:
    """OVAD's threshold: the mean of all scores, rounded to one decimal; 0 without rows.

    Args:
        scores: (N, A). The mean is taken in float64.
        rounding: "floor" (towards zero) as for detections, "ceil" as for given boxes.
    """
    if rounding not in ("floor", "ceil"):
        raise InputError(f"threshold must be a number, 'floor' or 'ceil'; got {rounding!r}")
    mean = float(np.mean(scores, dtype=np.float64)) if scores.size else 0.0
    return (math.trunc if rounding == "floor" else math.ceil)(mean * 10) / 10


def resolve_top_k(top_k: int | None, rule: Rule, labels: np.ndarray) -> int:
    """K of the top-K pass.

    Args:
        top_k: a number, or None for the default of the rule. VAW: 15, or the number of words where
            that is smaller. OVAD: the mean number of positives per row, rounded down; 0 selects
            every word.
        rule: "vaw" or "ovad".
        labels: (N, A).

    Raises:
        InputError: `top_k` is negative or larger than the number of words.
    """
    words = labels.shape[1]
    if top_k is None:
        if rule == "vaw":
            return min(VAW_TOP_K, words)
        return int(np.count_nonzero(labels == 1) // max(1, len(labels)))
    if not 0 <= top_k <= words:
        raise InputError(f"top_k is {top_k} but there are {words} words")
    return top_k


def top_k_entries(scores: np.ndarray, k: int) -> np.ndarray:
    """(N, A) bool: the `k` largest scores of every row; k = 0 selects every word.

    Equal scores at rank k go to the lower columns, where the official tools leave the choice to the
    sorting algorithm.
    """
    words = scores.shape[1]
    if k in (0, words):
        return np.ones(scores.shape, dtype=bool)

    chosen = np.empty(scores.shape, dtype=bool)
    for start in range(0, len(scores), ROWS_PER_BLOCK):
        block = scores[start : start + ROWS_PER_BLOCK]
        kth = np.partition(block, words - k, axis=1)[:, words - k, None]
        picked = block >= kth

        # Rows in which ties at rank k select too many: keep the first of the tied columns.
        crowded = np.flatnonzero(picked.sum(axis=1) > k)
        tied = block[crowded] == kth[crowded]
        room = k - (picked[crowded] & ~tied).sum(axis=1, keepdims=True)
        picked[crowded] &= ~tied | (np.cumsum(tied, axis=1) <= room)

        chosen[start : start + ROWS_PER_BLOCK] = picked
    return chosen

"""Average precision of every word at once.

Equal to scikit-learn's `average_precision_score` on the labelled rows of each word. Letters: N rows
(boxes), A words, L labelled entries.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ovarnet.errors import InputError

ENTRIES_PER_BLOCK = 1 << 24
"""Matrix entries processed at once: with all of them labelled, about 1 GB of work space."""


def average_precision(scores: ArrayLike, labels: ArrayLike) -> np.ndarray:
    """AP per word: sum over distinct scores, from high to low, of (R_n - R_{n-1}) * P_n.

    Rows of equal score form one threshold; nothing is interpolated.

    Args:
        scores: (N, A) real numbers of any scale; N and A may be 0.
        labels: (N, A) of 1 positive, 0 negative; 2 and -1 (unknown) are left out of their word.

    Returns:
        (A,) float64, nan for a word without a positive row.

    Raises:
        InputError: other shapes or labels, or a score that is not finite.
    """
    scores, labels = check_matrices(scores, labels)
    rows, words = scores.shape
    width = max(1, ENTRIES_PER_BLOCK // max(1, rows))
    blocks = [
        _average_precision_block(scores[:, i : i + width], labels[:, i : i + width])
        for i in range(0, words, width)
    ]
    return np.concatenate(blocks) if blocks else np.zeros(0)


def check_matrices(scores: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays of one (N, A) shape: floating scores, int8 labels with 2 for unknown.

    Raises:
        InputError: other shapes or labels, or a score that is not finite.
    """
    scores, labels = np.asarray(scores), np.asarray(labels)
    if scores.ndim != 2 or scores.shape != labels.shape:
        raise InputError(
            "scores and labels must be two matrices of one shape (rows, words); got "
            f"{scores.shape} and {labels.shape}"
        )
    if not np.issubdtype(scores.dtype, np.floating):
        scores = scores.astype(np.float64)

    # The sum is finite unless an entry is not, and several times cheaper than np.isfinite.
    if not np.isfinite(scores.sum(dtype=np.float64)) and not np.isfinite(scores).all():
        row, word = np.argwhere(~np.isfinite(scores))[0]
        raise InputError(
            f"scores: row {row}, word {word} is {scores[row, word]}; every score must be a finite "
            "number"
        )

    if labels.size == 0:
        return scores, labels.astype(np.int8)
    is_whole = labels.dtype.kind in "iub" or (labels == np.rint(labels)).all()
    if not (labels.min() >= -1 and labels.max() <= 2 and is_whole):
        raise InputError("labels must be 1 (positive), 0 (negative) or 2 / -1 (unknown)")
    labels = labels.astype(np.int8, copy=False)
    if labels.min() < 0:
        labels = np.where(labels == -1, np.int8(2), labels)
    return scores, labels


def labelled_entries(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two (L,) arrays: flat index and column of every entry that is 0 or 1, row by row."""
    flat = np.flatnonzero(labels < 2)
    return flat, flat % max(1, labels.shape[1])


def _average_precision_block(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    words = scores.shape[1]
    flat, column = labelled_entries(labels)
    score, positive = np.take(scores, flat), np.take(labels, flat) == 1

    # Sort by word, then by falling score. Columns as the smallest integers: numpy's stable sort of
    # 16-bit integers is a radix sort.
    order = np.argsort(-score, kind="stable")
    order = order[np.argsort(column[order].astype(np.min_scalar_type(words)), kind="stable")]
    column, score, positive = column[order], score[order], positive[order]

    # One threshold per run of equal (word, score); its last entry has the counts at the threshold.
    last = np.zeros(0, np.int64)
    if len(column):
        changes = (np.diff(column) != 0) | (np.diff(score) != 0)
        last = np.flatnonzero(np.append(changes, True))
    word = column[last]

    # Counts within the word: running counts less those of the words before.
    entries = np.bincount(column, minlength=words)
    positives = np.bincount(column[positive], minlength=words)
    hits = np.cumsum(positive)[last] - (np.cumsum(positives) - positives)[word]
    ranks = last + 1 - (np.cumsum(entries) - entries)[word]

    # AP = sum of precision (hits / ranks) times new hits, over the positives of the word.
    is_first = np.diff(word, prepend=-1) != 0
    new_hits = np.where(is_first, hits, np.diff(hits, prepend=0))
    with np.errstate(invalid="ignore"):
        return np.bincount(word, weights=new_hits * (hits / ranks), minlength=words) / positives

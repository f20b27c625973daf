"""Average precision of every word at once, equal to scikit-learn's `average_precision_score` on the
labelled rows.

Letters: N rows (boxes), A words.
"""

from __future__ import annotations

import numpy as np

from ovarnet.errors import InputError

BLOCK_ENTRIES = 1 << 24
"""Matrix entries looked at in one go: a fully labelled matrix of this size needs about 1 GB of work
space."""


def average_precision(scores, labels) -> np.ndarray:
    """AP per word: sum over distinct scores, from high to low, of (R_n - R_{n-1}) * P_n. Rows of
    equal score are ONE threshold.

    scores: (N, A) real, any scale, finite. labels: (N, A) of 1 positive, 0 negative; 2 and -1
    (unknown) are left out of their word. Returns (A,) float64; nan for a word without a positive
    row. N and A may be 0.
    """
    scores, labels = check_matrices(scores, labels)
    rows, words = scores.shape
    width = max(1, BLOCK_ENTRIES // max(1, rows))
    blocks = [
        _average_precision_block(scores[:, i : i + width], labels[:, i : i + width])
        for i in range(0, words, width)
    ]
    return np.concatenate(blocks) if blocks else np.zeros(0)


def check_matrices(scores, labels) -> tuple[np.ndarray, np.ndarray]:
    """Both as numpy arrays of one (N, A) shape: real finite scores, int8 labels of 1 / 0 / 2 with
    -1 turned into 2. Else InputError.
    """
    scores, labels = np.asarray(scores), np.asarray(labels)
    if scores.ndim != 2 or scores.shape != labels.shape:
        raise InputError(
            "scores and labels must be two matrices of one shape (rows, words); got "
            f"{scores.shape} and {labels.shape}"
        )
    if not np.issubdtype(scores.dtype, np.floating):
        scores = scores.astype(np.float64)
    # The sum is finite unless an entry is not; summing is several times cheaper than np.isfinite on
    # the whole matrix.
    if not np.isfinite(scores.sum(dtype=np.float64)) and not np.isfinite(scores).all():
        row, word = np.argwhere(~np.isfinite(scores))[0]
        raise InputError(
            f"scores: row {row}, word {word} is {scores[row, word]}; every score must be a finite "
            "number"
        )
    if labels.size and not (
        labels.min() >= -1
        and labels.max() <= 2
        and (labels.dtype.kind in "iub" or (labels == np.rint(labels)).all())
    ):
        raise InputError("labels must be 1 (positive), 0 (negative) or 2 / -1 (unknown)")
    labels = labels.astype(np.int8, copy=False)
    return scores, np.where(
        labels == -1, np.int8(2), labels
    ) if labels.size and labels.min() < 0 else labels


def labelled_entries(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(flat index, column) of every entry that is 0 or 1, row by row."""
    flat = np.flatnonzero(labels < 2)
    return flat, flat % max(1, labels.shape[1])


def _average_precision_block(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    words = scores.shape[1]
    flat, column = labelled_entries(labels)
    score, positive = np.take(scores, flat), np.take(labels, flat) == 1
    order = np.argsort(-score, kind="stable")
    # Columns as the smallest integers: numpy's stable sort of 16-bit integers is a radix sort.
    order = order[np.argsort(column[order].astype(np.min_scalar_type(words)), kind="stable")]
    column, score, positive = column[order], score[order], positive[order]

    # One threshold per run of equal (word, score); its last entry carries the counts at that
    # threshold.
    last = (
        np.flatnonzero(np.append((np.diff(column) != 0) | (np.diff(score) != 0), True))
        if len(column)
        else np.zeros(0, np.int64)
    )
    word = column[last]
    entries, positives = (
        np.bincount(column, minlength=words),
        np.bincount(column[positive], minlength=words),
    )
    hits = np.cumsum(positive)[last] - (np.cumsum(positives) - positives)[word]
    ranks = last + 1 - (np.cumsum(entries) - entries)[word]
    first = np.diff(word, prepend=-1) != 0
    new_hits = np.where(first, hits, np.diff(hits, prepend=0))
    with np.errstate(invalid="ignore"):
        return np.bincount(word, weights=new_hits * (hits / ranks), minlength=words) / positives

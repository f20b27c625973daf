"""Attribute metrics of VAW and OVAD: AP per word, a threshold pass, a top-K pass, group means.

Written from the published rules of VAW's evaluator and of OVAD's AttEvaluator. Undefined values are
nan; `official.official_scores` turns them into what those tools print. Letters: N rows (boxes), A
words. Labels: 1 positive, 0 negative, 2 or -1 unknown; an unknown entry counts nowhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ovarnet.errors import InputError
from ovarnet.evaluation.average_precision import average_precision, check_matrices, labelled_entries
from ovarnet.evaluation.counts import Counts
from ovarnet.evaluation.decisions import Rounding, resolve_threshold, resolve_top_k, top_k_entries
from ovarnet.evaluation.protocols import RULES, Rule

PASSES = ("threshold", "topk")


@dataclass(frozen=True)
class GroupMetrics:
    """Means over one group of words, in [0, 1], nan where undefined.

    Attributes:
        words: how many words the group has.
        skipped: how many of them have no positive row and are left out of `ap`.
        ap: mean AP.
        chance: mean AP of constant scores over the same words, which is their mean share of
            positives.
        per_word: {pass: {rate: mean over the words}}.
        overall: {pass: {rate: computed from the counts summed over the words}}.
    """

    words: int
    skipped: int
    ap: float
    chance: float
    per_word: dict[str, dict[str, float]]
    overall: dict[str, dict[str, float]]


@dataclass(frozen=True)
class AttributeMetrics:
    """Result of `attribute_metrics`.

    Attributes:
        rule: "vaw" or "ovad".
        threshold: of the threshold pass.
        top_k: K of the top-K pass; 0: every word.
        rows: N.
        ap: (A,) float64, nan for a word without a positive row.
        positives: (A,) rows labelled positive.
        negatives: (A,) rows labelled negative.
        passes: {"threshold" | "topk": counts per word}.
        members: {group: its columns}; "all" is one of them.
    """

    rule: Rule
    threshold: float
    top_k: int
    rows: int
    ap: np.ndarray
    positives: np.ndarray
    negatives: np.ndarray
    passes: dict[str, Counts]
    members: dict[str, np.ndarray]

    @property
    def chance(self) -> np.ndarray:
        """(A,) AP of constant scores: the share of positives; nan for a word without labels."""
        labelled = self.positives + self.negatives
        return np.where(labelled > 0, self.positives / np.maximum(labelled, 1), np.nan)

    @cached_property
    def groups(self) -> dict[str, GroupMetrics]:
        """Means over every group."""
        return {name: self._group(columns) for name, columns in self.members.items()}

    def headline(self) -> dict[str, float]:
        """The four numbers that VAW papers print.

        Returns:
            mAP; mR@K, mean recall of the top-K pass; mA, mean balanced accuracy of the threshold
            pass; F1@K, overall F1 of the top-K pass. mR@K and F1@K are nan where the top K are all
            words: nothing is selected then, and recall is 100 % for any model.
        """
        every = self.groups["all"]
        selects = 0 < self.top_k < len(self.ap)
        return {
            "mAP": every.ap,
            f"mR@{self.top_k}": every.per_word["topk"]["recall"] if selects else math.nan,
            "mA": every.per_word["threshold"]["balanced_accuracy"],
            f"F1@{self.top_k}": every.overall["topk"]["f1"] if selects else math.nan,
        }

    def _group(self, columns: np.ndarray) -> GroupMetrics:
        ap = self.ap[columns]
        has_ap = ~np.isnan(ap)
        # By VAW's rule one undefined word makes the mean undefined; OVAD leaves such words out.
        mean = _mean if self.rule == "vaw" else _mean_of_defined
        return GroupMetrics(
            words=len(columns),
            skipped=int((~has_ap).sum()),
            ap=_mean_of_defined(ap),
            chance=_mean(self.chance[columns][has_ap]),
            per_word={
                name: {
                    rate: mean(values[columns]) for rate, values in counts.rates(self.rule).items()
                }
                for name, counts in self.passes.items()
            },
            overall={
                name: {
                    rate: float(value)
                    for rate, value in counts.summed(columns).rates(self.rule, overall=True).items()
                }
                for name, counts in self.passes.items()
            },
        )


def attribute_metrics(
    scores: ArrayLike,
    labels: ArrayLike,
    *,
    rule: Rule = "vaw",
    threshold: float | Rounding | None = None,
    top_k: int | None = None,
    groups: Mapping[str, Sequence[int]] | None = None,
) -> AttributeMetrics:
    """All attribute metrics of one score matrix.

    A row is predicted positive for a word in the threshold pass if score > threshold; in the top-K
    pass if score > 0 and the score is among the K largest of the row over all words, labelled or
    not (ties at rank K: the lower column). Comparisons are made in float64. AP does not depend on
    rule, threshold or K.

    Args:
        scores: (N, A) probabilities; N and A may be 0. Outside [0, 1] they are an error by the rule
            "vaw", and clipped by "ovad".
        labels: (N, A) of 1, 0, and 2 or -1.
        rule: "vaw" or "ovad": default threshold and K, and what is undefined (`Counts.rates`). A
            group's mean rate is undefined if that of one word is ("vaw"), or the mean over the
            defined ones ("ovad").
        threshold: see `resolve_threshold`.
        top_k: see `resolve_top_k`.
        groups: {name: columns}; "all" is added.

    Returns:
        The metrics, nan where undefined. A word without a positive row has no AP and is left out of
        mean AP.

    Raises:
        InputError: unknown rule, a column out of range, or scores or labels that are not as above.
    """
    scores, labels = check_matrices(scores, labels)
    words = scores.shape[1]
    _check_choices(rule, groups, words)
    threshold = resolve_threshold(threshold, rule, scores)
    top_k = resolve_top_k(top_k, rule, labels)
    scores = _probabilities(scores, rule)

    # Only labelled entries are counted, but all words compete for the top K.
    flat, column = labelled_entries(labels)
    truth = np.take(labels, flat) == 1
    labelled_scores = np.take(scores, flat).astype(np.float64)
    is_above = labelled_scores > threshold
    is_in_top = np.take(top_k_entries(scores, top_k), flat) & (labelled_scores > 0)

    members = {"all": np.arange(words)}
    for name, columns in (groups or {}).items():
        members[name] = np.asarray(columns, dtype=np.int64)
    return AttributeMetrics(
        rule=rule,
        threshold=threshold,
        top_k=top_k,
        rows=len(scores),
        ap=average_precision(scores, labels),
        positives=np.bincount(column[truth], minlength=words),
        negatives=np.bincount(column[~truth], minlength=words),
        passes={
            "threshold": Counts.of(is_above, truth, column, words),
            "topk": Counts.of(is_in_top, truth, column, words),
        },
        members=members,
    )


def _check_choices(rule: str, groups: Mapping[str, Sequence[int]] | None, words: int) -> None:
    if rule not in RULES:
        raise InputError(f"attribute rule must be one of {', '.join(RULES)}; got {rule!r}")
    for name, columns in (groups or {}).items():
        if name == "all":
            raise InputError("a group cannot be called 'all': that name stands for every word")
        if any(not 0 <= column < words for column in columns):
            raise InputError(f"group {name!r} has a column outside 0..{words - 1}")


def _probabilities(scores: np.ndarray, rule: Rule) -> np.ndarray:
    if rule == "ovad":
        return np.clip(scores, 0, 1)
    if scores.size and not (scores.min() >= 0 and scores.max() <= 1):
        raise InputError(
            f"scores must be probabilities in [0, 1]; these reach from {scores.min():g} to "
            f"{scores.max():g}; apply a sigmoid"
        )
    return scores


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan


def _mean_of_defined(values: np.ndarray) -> float:
    return _mean(values[~np.isnan(values)])

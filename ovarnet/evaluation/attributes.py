"""Attribute metrics of VAW and of OVAD: AP per word, a threshold pass, a top-K pass, and means over
groups of words.

Letters: N rows (boxes), A words. Labels: 1 positive, 0 negative, 2 or -1 unknown; an unknown entry
counts nowhere. Written from the published rules of the VAW evaluator and of OVAD's AttEvaluator.
Undefined values are nan everywhere here; `official.official_view` turns them into the sentinels
(-1) and the scale that the official tools print.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ovarnet.errors import InputError
from ovarnet.evaluation.average_precision import average_precision, check_matrices, labelled_entries

RULES = ("vaw", "ovad")
REDUCERS = ("skip", "vaw")
VAW_TOP_K = 15
ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Counts:
    """Decisions of one pass against the labels: four integer arrays of one shape, per word or
    already summed.
    """

    true_positives: np.ndarray
    false_positives: np.ndarray
    true_negatives: np.ndarray
    false_negatives: np.ndarray

    def summed(self, words: np.ndarray) -> Counts:
        return Counts(*(getattr(self, name)[words].sum() for name in self.__dataclass_fields__))

    def rates(self, rule: str, overall: bool = False) -> dict[str, np.ndarray]:
        """recall, tnr, precision, balanced_accuracy and f1 in [0, 1], nan where undefined.

        precision is 1 without a predicted positive. recall without a predicted positive is 0, under
        "vaw" even for a word without positives. f1 with precision + recall = 0 is 0, but nan for a
        single word under "ovad".
        """
        positives, negatives = (
            self.true_positives + self.false_negatives,
            self.false_positives + self.true_negatives,
        )
        predicted = self.true_positives + self.false_positives
        with np.errstate(divide="ignore", invalid="ignore"):
            recall = np.where(positives > 0, self.true_positives / positives, np.nan)
            if rule == "vaw":
                recall = np.where(predicted == 0, 0.0, recall)
            tnr = np.where(negatives > 0, self.true_negatives / negatives, np.nan)
            precision = np.where(predicted > 0, self.true_positives / predicted, 1.0)
            both = precision + np.where(np.isnan(recall), -1.0, recall)
            f1 = np.where(
                both > 0,
                2 * precision * recall / both,
                np.nan if rule == "ovad" and not overall else 0.0,
            )
        return {
            "recall": recall,
            "tnr": tnr,
            "precision": precision,
            "balanced_accuracy": (recall + tnr) / 2,
            "f1": f1,
        }


@dataclass(frozen=True)
class GroupMetrics:
    """Means over one group of words, in [0, 1], nan where undefined.

    words: how many the group has; skipped: how many of them have no positive row and are therefore
    not in `ap` (0 under reducer "vaw"). ap: mean AP. chance: what constant scores would get: mean
    share of positives over the words that are in `ap`. rand_precision: OVAD's name for the same
    mean, but over ALL words of the group, an unlabelled word counting as 1. per_word, overall:
    {"threshold" | "topk": {recall, tnr, precision, balanced_accuracy, f1}}; mean over words /
    counts summed first.
    """

    words: int
    skipped: int
    ap: float
    chance: float
    rand_precision: float
    per_word: dict[str, dict[str, float]]
    overall: dict[str, dict[str, float]]


@dataclass(frozen=True)
class AttributeMetrics:
    """Result of `attribute_metrics`. ap, rand_precision: (A,) float64, ap nan without positives.
    groups: {"all": ..., the groups asked}.
    """

    rule: str
    reducer: str
    threshold: float
    top_k: int
    rows: int
    ap: np.ndarray
    positives: np.ndarray
    negatives: np.ndarray
    rand_precision: np.ndarray
    passes: dict[str, Counts]
    members: dict[str, np.ndarray]
    groups: dict[str, GroupMetrics]

    def headline(self) -> dict[str, float]:
        """The four numbers VAW papers print: mAP, mR@K and F1@K (top-K pass), mA (mean balanced
        accuracy, threshold pass).
        """
        every = self.groups["all"]
        return {
            "mAP": every.ap,
            f"mR@{self.top_k}": every.per_word["topk"]["recall"],
            "mA": every.per_word["threshold"]["balanced_accuracy"],
            f"F1@{self.top_k}": every.overall["topk"]["f1"],
        }


def attribute_metrics(
    scores,
    labels,
    *,
    rule: str = "vaw",
    threshold: float | str | None = None,
    top_k: int | None = None,
    groups: dict[str, list[int]] | None = None,
    reducer: str = "skip",
) -> AttributeMetrics:
    """All attribute metrics of one score matrix.

    scores: (N, A) probabilities. labels: (N, A) of 1 / 0 / 2 or -1. groups: {name: columns}; "all"
    is added. rule "vaw": scores outside [0, 1] are an error; threshold 0.5; top_k 15 (all A words
    where there are fewer). rule "ovad": scores are clipped to [0, 1]; threshold "floor"; top_k the
    mean number of positives per row, rounded down, and 0 means every word. threshold: a number, or
    OVAD's rounding of the mean score to one decimal: "floor" (box-free) or "ceil" (box-given). A
    row is predicted positive for a word in the threshold pass when score > threshold, in the top-K
    pass when the score is among the row's K largest over all words, labelled or not, and > 0; ties
    at rank K go to the lower column. reducer: what a word without positives does to mean AP: "skip"
    leaves it out and counts it, "vaw" takes AP 0. The rates of a group are undefined under "vaw"
    when one word's is; "ovad" leaves such words out.
    """
    scores, labels = check_matrices(scores, labels)
    _check_choices(rule, reducer, groups, scores.shape[1])
    threshold = _resolve_threshold(threshold, rule, scores)
    scores = _probabilities(scores, rule)
    top_k = _resolve_top_k(top_k, rule, labels)

    flat, column = labelled_entries(labels)
    truth = np.take(labels, flat) == 1
    above = np.take(scores, flat) > threshold
    among_top = np.take(top_k_entries(scores, top_k), flat) & (np.take(scores, flat) > 0)
    passes = {
        "threshold": _count(above, truth, column, scores.shape[1]),
        "topk": _count(among_top, truth, column, scores.shape[1]),
    }
    positives, negatives = (
        np.bincount(column[truth == wanted], minlength=scores.shape[1]) for wanted in (True, False)
    )
    chance = np.where(
        positives + negatives > 0, positives / np.maximum(positives + negatives, 1), 1.0
    )
    members = {
        name: np.asarray(columns, dtype=np.int64)
        for name, columns in ({"all": range(scores.shape[1])} | (groups or {})).items()
    }
    result = AttributeMetrics(
        rule,
        reducer,
        threshold,
        top_k,
        len(scores),
        average_precision(scores, labels),
        positives,
        negatives,
        chance,
        passes,
        members,
        {},
    )
    result.groups.update(
        {name: group_metrics(result, columns, reducer) for name, columns in members.items()}
    )
    return result


def ovad_threshold(scores: np.ndarray, rounding: str) -> float:
    """OVAD's threshold: the mean of all scores, rounded to one decimal, "floor" for box-free and
    "ceil" for box-given; 0 without rows.
    """
    if rounding not in ("floor", "ceil"):
        raise InputError(f"threshold must be a number, 'floor' or 'ceil'; got {rounding!r}")
    mean = float(np.mean(scores, dtype=np.float64)) if scores.size else 0.0
    return (math.floor if rounding == "floor" else math.ceil)(10 * mean) / 10


def top_k_entries(scores: np.ndarray, k: int) -> np.ndarray:
    """(N, A) bool: the `k` largest scores of every row; equal scores at rank k go to the lower
    columns. k = 0 selects every word.
    """
    words = scores.shape[1]
    if k == 0 or k == words:
        return np.ones(scores.shape, dtype=bool)
    chosen = np.empty(scores.shape, dtype=bool)
    for start in range(0, len(scores), ROWS_AT_ONCE):
        part = scores[start : start + ROWS_AT_ONCE]
        last = np.partition(part, words - k, axis=1)[:, words - k, None]
        picked = part >= last
        crowded = np.flatnonzero(picked.sum(axis=1) > k)
        tied = part[crowded] == last[crowded]
        room = k - (picked[crowded] & ~tied).sum(axis=1, keepdims=True)
        picked[crowded] &= ~tied | (np.cumsum(tied, axis=1) <= room)
        chosen[start : start + ROWS_AT_ONCE] = picked
    return chosen


def _check_choices(rule: str, reducer: str, groups: dict | None, words: int) -> None:
    if rule not in RULES:
        raise InputError(f"attribute rule must be one of {', '.join(RULES)}; got {rule!r}")
    if reducer not in REDUCERS:
        raise InputError(f"reducer must be one of {', '.join(REDUCERS)}; got {reducer!r}")
    for name, columns in (groups or {}).items():
        if name == "all":
            raise InputError("a group cannot be called 'all': that name stands for every word")
        if any(not 0 <= column < words for column in columns):
            raise InputError(f"group {name!r} has a column outside 0..{words - 1}")


def _resolve_threshold(threshold: float | str | None, rule: str, scores: np.ndarray) -> float:
    if threshold is None:
        threshold = 0.5 if rule == "vaw" else "floor"
    return ovad_threshold(scores, threshold) if isinstance(threshold, str) else float(threshold)


def _probabilities(scores: np.ndarray, rule: str) -> np.ndarray:
    if rule == "ovad":
        return np.clip(scores, 0, 1)
    if scores.size and not (scores.min() >= 0 and scores.max() <= 1):
        raise InputError(
            f"scores must be probabilities in [0, 1]; these reach from {scores.min():g} to "
            f"{scores.max():g}; apply a sigmoid"
        )
    return scores


def _resolve_top_k(top_k: int | None, rule: str, labels: np.ndarray) -> int:
    words = labels.shape[1]
    if top_k is None and rule == "vaw":
        return min(VAW_TOP_K, words)
    if top_k is None:
        return int(np.count_nonzero(labels == 1) // max(1, len(labels)))
    if not 0 <= top_k <= words:
        raise InputError(f"top_k is {top_k} but there are {words} words")
    return int(top_k)


def _count(predicted: np.ndarray, truth: np.ndarray, column: np.ndarray, words: int) -> Counts:
    chosen = (predicted & truth, predicted & ~truth, ~predicted & ~truth, ~predicted & truth)
    return Counts(*(np.bincount(column[mask], minlength=words) for mask in chosen))


def group_metrics(result: AttributeMetrics, words: np.ndarray, reducer: str) -> GroupMetrics:
    """Means over the columns `words`; an empty group is nan throughout."""
    ap, chance = result.ap[words], result.rand_precision[words]
    without = np.isnan(ap)
    if reducer == "vaw":
        chance = np.where(result.positives[words] + result.negatives[words] > 0, chance, 0.0)
        ap, without = np.nan_to_num(ap), np.zeros(len(words), dtype=bool)
    mean = _mean if result.rule == "vaw" else _mean_of_defined
    return GroupMetrics(
        words=len(words),
        skipped=int(without.sum()),
        ap=_mean_of_defined(ap),
        chance=_mean(chance[~without]),
        rand_precision=_mean(result.rand_precision[words]),
        per_word={
            key: {rate: mean(values[words]) for rate, values in counts.rates(result.rule).items()}
            for key, counts in result.passes.items()
        },
        overall={
            key: {
                rate: float(value)
                for rate, value in counts.summed(words).rates(result.rule, overall=True).items()
            }
            for key, counts in result.passes.items()
        },
    )


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan


def _mean_of_defined(values: np.ndarray) -> float:
    return _mean(values[~np.isnan(values)])

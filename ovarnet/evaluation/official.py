"""Attribute metrics as the official VAW and OVAD tools print them: their scale, their sentinels.

VAW: `eval/eval.py` of the release, which scores given boxes. OVAD: `AttEvaluator` as called for
given boxes and for detections. Both put -1 where there is nothing to divide by; OVAD prints groups
in percent, so that it reads -100 there. Differences that remain are listed in docs/evaluation.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ovarnet.evaluation.attributes import PASSES, AttributeMetrics
from ovarnet.vocabulary import Word

FREQUENCIES = ("head", "medium", "tail")
SENTINEL = -1.0
NAME_LENGTH = {"vaw": 18, "ovad": 50}
"""Width of the column of names in the table of words."""

Numbers = dict[str, float]


def official_scores(
    metrics: AttributeMetrics, words: Sequence[Word], *, synonyms: bool = False
) -> dict:
    """What the official tool of `metrics.rule` reports.

    Args:
        metrics: of all words.
        words: A words, in the order of the columns.
        synonyms: also OVAD's groups "single" and "multiple", which its tool for given boxes has.

    Returns:
        {"tool": "vaw" | "ovad", "threshold": ..., "top_k": ..., "groups": {group: {"per_class":
        {pass: numbers}, "overall": {pass: numbers}}}, "words": [numbers of each word]}. Groups are
        fractions by VAW's rule and percent by OVAD's, words always fractions.
    """
    return {
        "tool": metrics.rule,
        "threshold": metrics.threshold,
        "top_k": metrics.top_k,
        "groups": {
            name: {
                "per_class": {key: _per_class(metrics, columns, key) for key in PASSES},
                "overall": {key: _overall(metrics, columns, key) for key in PASSES},
            }
            for name, columns in _official_groups(words, synonyms=synonyms).items()
        },
        "words": _words(metrics, words),
    }


def official_text(scores: dict) -> str:
    """The groups of `official_scores`, in the lines of the official log."""
    form = ".2f" if scores["tool"] == "ovad" else ""
    passes = {
        "threshold": f"threshold {scores['threshold']:{form}}",
        "topk": f"top {scores['top_k']}",
    }
    lines = []
    for name, group in scores["groups"].items():
        lines += [f"----------{name.upper()}----------"]
        lines += [f"mAP: {group['per_class']['threshold']['ap']:.4f}"]
        for title, kind in (("Per-class", "per_class"), ("Overall", "overall")):
            for key, text in passes.items():
                lines.append(f"{title} ({text}):")
                rates = ("recall", "precision", "f1") + ("bacc",) * (key == "threshold")
                numbers = group[kind][key]
                lines += [f"- {rate}: {numbers[rate]:.4f}" for rate in rates if rate in numbers]
    return "\n".join(lines)


def official_word_table(scores: dict) -> str:
    """The words of `official_scores` as a table: the columns of the official log, and accuracy."""
    width = NAME_LENGTH[scores["tool"]]
    has_chance = scores["tool"] == "ovad"
    titles = ["AP", "Recall@K", "B.Accuracy", "Accuracy", "N_Pos", "N_Neg"]
    lines = [" | ".join([f"{'Name':{width}}", *titles, *["rand Pre."] * has_chance])]
    for word in scores["words"]:
        cells = [f"{word['name']:{width}}"]
        cells += [f"{word[key]:.4f}" for key in ("ap", "recall_topk", "bacc", "acc")]
        cells += [str(word[key]) for key in ("n_pos", "n_neg")]
        cells += [f"{word['rand_precision']:.4f}"] if has_chance else []
        lines.append(" | ".join(cells))
    return "\n".join(lines)


def _official_groups(words: Sequence[Word], *, synonyms: bool) -> dict[str, np.ndarray]:
    """Group -> columns. The tools print head, medium and tail even if they have no word."""
    groups: dict[str, list[int]] = {"all": list(range(len(words)))}
    groups |= {name: [] for name in FREQUENCIES}
    for column, word in enumerate(words):
        if word.group:
            groups.setdefault(word.group, []).append(column)
        groups.setdefault(word.family or word.parent, []).append(column)
    if synonyms:
        groups |= {"single": [], "multiple": []}
        for column, word in enumerate(words):
            groups["multiple" if len(word.strings) > 1 else "single"].append(column)
    return {name: np.array(columns, dtype=np.int64) for name, columns in groups.items()}


def _per_class(metrics: AttributeMetrics, columns: np.ndarray, key: str) -> Numbers:
    """Means over the words of a group, one pass."""
    rates = {
        name: values[columns] for name, values in metrics.passes[key].rates(metrics.rule).items()
    }
    ap = _word_ap(metrics)[columns]
    if key == "topk":
        # Both tools compute AP in the threshold pass only, and average a placeholder in the other.
        ap = np.full(len(columns), SENTINEL)
    chance = _rand_precision(metrics.positives, metrics.negatives)[columns]

    if metrics.rule == "vaw":
        means = {"ap": _mean(ap)}
        # One undefined word makes the group undefined.
        for name in ("f1", "precision", "recall", "tnr", "balanced_accuracy"):
            means[name] = SENTINEL if np.isnan(rates[name]).any() else _mean(rates[name])
        scale = 1.0
    else:
        means = {"ap": _mean(ap[~np.isnan(ap)])}
        # Undefined words are left out. A group without words is nan, but for f1.
        for name in ("f1", "precision", "recall", "tnr", "balanced_accuracy"):
            defined = rates[name][~np.isnan(rates[name])]
            nothing = SENTINEL if len(columns) or name == "f1" else math.nan
            means[name] = _mean(defined) if len(defined) else nothing
        means["rand_precision"] = _mean(chance)
        scale = 100.0
    means["bacc"] = means.pop("balanced_accuracy")
    del means["tnr"]
    return {name: scale * value for name, value in means.items()}


def _overall(metrics: AttributeMetrics, columns: np.ndarray, key: str) -> Numbers:
    """Rates of the summed counts of a group, one pass."""
    rates = metrics.passes[key].summed(columns).rates(metrics.rule, overall=True)
    numbers = {name: _or_sentinel(rates[name]) for name in ("f1", "precision", "recall", "tnr")}
    if metrics.rule == "vaw":
        return numbers
    positives, negatives = metrics.positives[columns].sum(), metrics.negatives[columns].sum()
    numbers["rand_precision"] = float(_rand_precision(positives, negatives))
    return {name: 100.0 * value for name, value in numbers.items()}


def _words(metrics: AttributeMetrics, words: Sequence[Word]) -> list[dict]:
    threshold, top = (metrics.passes[key].rates(metrics.rule) for key in PASSES)
    ap, chance = _word_ap(metrics), _rand_precision(metrics.positives, metrics.negatives)
    numbers = []
    for column, word in enumerate(words):
        entry = {
            "name": word.name,
            "ap": float(ap[column]),
            "recall_topk": _or_sentinel(top["recall"][column]),
            "bacc": _or_sentinel(threshold["balanced_accuracy"][column]),
            "acc": _or_sentinel(threshold["accuracy"][column]),
            "n_pos": int(metrics.positives[column]),
            "n_neg": int(metrics.negatives[column]),
        }
        if metrics.rule == "ovad":
            entry["rand_precision"] = float(chance[column])
        numbers.append(entry)
    return numbers


def _word_ap(metrics: AttributeMetrics) -> np.ndarray:
    """(A,) AP of a word without positives: 0 in VAW's tool, nan in OVAD's."""
    return np.nan_to_num(metrics.ap) if metrics.rule == "vaw" else metrics.ap


def _rand_precision(positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """Precision of random decisions: the share of positives, 1 without labels."""
    labelled = positives + negatives
    return np.where(labelled > 0, positives / np.maximum(labelled, 1), 1.0)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan


def _or_sentinel(value: np.ndarray | float) -> float:
    return SENTINEL if np.isnan(value) else float(value)

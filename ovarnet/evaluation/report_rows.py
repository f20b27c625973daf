"""The rows of a report: each metric's numbers by group of words, with their chance level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ovarnet.evaluation.attributes import AttributeMetrics
from ovarnet.evaluation.box_given import CategoryMetrics
from ovarnet.evaluation.coco_ovd import CocoOvdResult
from ovarnet.evaluation.proposal_recall import BoxRecall
from ovarnet.evaluation.report import Row
from ovarnet.vocabulary import Word


def word_groups(words: Sequence[Word], synonyms: bool = False) -> dict[str, list[int]]:
    """Columns of base / novel, head / medium / tail and each parent type, groups without a word
    left out.

    synonyms: also OVAD's "single" / "multiple": attributes of one string or of several (it reports
    these box-given only).
    """
    groups: dict[str, list[int]] = {
        name: [] for name in ("base", "novel", "head", "medium", "tail")
    }
    for column, word in enumerate(words):
        groups["base" if word.seen else "novel"].append(column)
        if word.group:
            groups.setdefault(word.group, []).append(column)
        groups.setdefault(f"type {word.family or word.parent}", []).append(column)
        if synonyms:
            groups.setdefault("multiple" if len(word.strings) > 1 else "single", []).append(column)
    return {name: columns for name, columns in groups.items() if columns}


def attribute_rows(
    setting: str, protocol: str, metrics: AttributeMetrics, *, brief: bool = False
) -> list[Row]:
    """MAP of every group and VAW's other headline numbers (mR@K, mA, F1@K); brief: only mAP of all,
    base and novel.
    """
    rows = [
        Row(
            setting,
            "attribute mAP",
            protocol,
            name,
            group.ap,
            group.chance,
            group.words,
            group.skipped,
        )
        for name, group in metrics.groups.items()
        if not brief or name in ("all", "base", "novel")
    ]
    if brief:
        return rows
    return rows + [
        Row(setting, f"attribute {name}", protocol, "all", value, None, metrics.groups["all"].words)
        for name, value in metrics.headline().items()
        if name != "mAP"
    ]


def category_rows(setting: str, metrics: CategoryMetrics, seen: np.ndarray) -> list[Row]:
    """Accuracy and AP of given boxes. Chance of accuracy: one of all words, drawn evenly."""
    groups = {
        "all": np.arange(len(seen)),
        "base": np.flatnonzero(seen),
        "novel": np.flatnonzero(~seen),
    }
    rows = [
        Row(
            setting,
            "category accuracy",
            "arg-max",
            name,
            metrics.accuracy(columns),
            1 / len(seen),
            int(metrics.boxes[columns].sum()),
        )
        for name, columns in groups.items()
    ]
    return rows + [
        Row(
            setting,
            "category AP",
            "arg-max kept",
            name,
            metrics.mean_ap(columns),
            metrics.mean_chance(columns),
            len(columns),
            int((metrics.boxes[columns] == 0).sum()),
        )
        for name, columns in groups.items()
    ]


def coco_rows(setting: str, protocol: str, result: CocoOvdResult) -> list[Row]:
    return [
        Row(
            setting,
            "COCO-OVD AP50",
            protocol,
            name,
            result.mean(name),
            None,
            len(result.columns(name)),
            result.skipped(name),
        )
        for name in ("all", "base", "novel")
    ]


def recall_rows(setting: str, what: str, recall: BoxRecall) -> list[Row]:
    """R@k at IoU 0.5 and AR@k, for every k."""
    rows = []
    for k in recall.ious:
        for measure, of in (
            (f"{what} R@{k}", recall.recall),
            (f"{what} AR@{k}", recall.average_recall),
        ):
            protocol = "one-to-one, IoU 0.5" if " R@" in measure else "one-to-one, IoU 0.5:0.95"
            rows += [
                Row(setting, measure, protocol, name, of(k, name), None, recall.count(name))
                for name in ("all", "base", "novel")
            ]
    return rows


def attribute_words(
    setting: str, protocol: str, metrics: AttributeMetrics, words: Sequence[Word]
) -> list[dict]:
    """Numbers of every attribute word, for the JSON."""
    columns = zip(
        words,
        metrics.ap.tolist(),
        metrics.rand_precision.tolist(),
        metrics.positives.tolist(),
        metrics.negatives.tolist(),
        strict=True,
    )
    return [
        {
            "setting": setting,
            "protocol": protocol,
            "attribute": word.name,
            "type": word.family or word.parent,
            "seen": word.seen,
            "ap": ap,
            "chance": chance,
            "positives": positives,
            "negatives": negatives,
        }
        for word, ap, chance, positives, negatives in columns
    ]


def category_words(
    setting: str, protocol: str, words: Sequence[Word], boxes: np.ndarray, **values: np.ndarray
) -> list[dict]:
    """Numbers of every category word, for the JSON. values: name -> (C,) array."""
    return [
        {
            "setting": setting,
            "protocol": protocol,
            "category": word.name,
            "seen": word.seen,
            "boxes": int(boxes[column]),
            **{name: float(numbers[column]) for name, numbers in values.items()},
        }
        for column, word in enumerate(words)
    ]

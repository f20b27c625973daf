"""The rows of a report: the numbers of each metric by group of words, with their chance level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ovarnet.evaluation.attributes import AttributeMetrics
from ovarnet.evaluation.box_given import CategoryMetrics
from ovarnet.evaluation.coco_ovd import CocoOvdResult
from ovarnet.evaluation.proposal_recall import BoxRecall
from ovarnet.evaluation.report import Row
from ovarnet.vocabulary import Word

GROUPS = ("all", "base", "novel")


def word_groups(words: Sequence[Word], *, synonyms: bool = False) -> dict[str, list[int]]:
    """Columns of base / novel, head / medium / tail and of each parent type; no empty group.

    Args:
        words: in the order of the columns.
        synonyms: also OVAD's groups "single" and "multiple": words of one string or of several.
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
    """Mean AP of every group and VAW's other headline numbers (mR@K, mA, F1@K).

    Args:
        setting: of the rows.
        protocol: of the rows.
        metrics: the numbers.
        brief: only mAP, of all, base and novel.
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
        if not brief or name in GROUPS
    ]
    if brief:
        return rows
    words = metrics.groups["all"].words
    return rows + [
        Row(setting, f"attribute {name}", protocol, "all", value, None, words)
        for name, value in metrics.headline().items()
        if name != "mAP"
    ]


def category_rows(setting: str, metrics: CategoryMetrics, seen: np.ndarray) -> list[Row]:
    """Accuracy and AP of given boxes; chance of accuracy: one of all words, drawn evenly.

    Args:
        setting: of the rows.
        metrics: the numbers.
        seen: (C,) bool, True for base categories.
    """
    columns_of = {
        "all": np.arange(len(seen)),
        "base": np.flatnonzero(seen),
        "novel": np.flatnonzero(~seen),
    }
    accuracy = [
        Row(
            setting,
            "category accuracy",
            "arg-max",
            name,
            metrics.accuracy(columns),
            1 / len(seen),
            int(metrics.boxes[columns].sum()),
        )
        for name, columns in columns_of.items()
    ]
    ap = [
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
        for name, columns in columns_of.items()
    ]
    return accuracy + ap


def coco_rows(setting: str, protocol: str, result: CocoOvdResult) -> list[Row]:
    """AP50 of all, base and novel categories."""
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
        for name in GROUPS
    ]


def recall_rows(setting: str, what: str, recall: BoxRecall) -> list[Row]:
    """R@k at IoU 0.5 and AR@k, for every k.

    Args:
        setting: of the rows.
        what: whose recall: "detections" or "proposals".
        recall: the numbers.
    """
    rows = []
    for k in recall.ious:
        for measure, protocol, value_of in (
            (f"{what} R@{k}", "one-to-one, IoU 0.5", recall.recall),
            (f"{what} AR@{k}", "one-to-one, IoU 0.5:0.95", recall.average_recall),
        ):
            rows += [
                Row(setting, measure, protocol, name, value_of(k, name), None, recall.count(name))
                for name in GROUPS
            ]
    return rows


def attribute_words(
    setting: str, protocol: str, metrics: AttributeMetrics, words: Sequence[Word]
) -> list[dict[str, Any]]:
    """Numbers of every attribute word, for the JSON."""
    chance = metrics.chance
    return [
        {
            "setting": setting,
            "protocol": protocol,
            "attribute": word.name,
            "type": word.family or word.parent,
            "seen": word.seen,
            "ap": float(metrics.ap[column]),
            "chance": float(chance[column]),
            "positives": int(metrics.positives[column]),
            "negatives": int(metrics.negatives[column]),
        }
        for column, word in enumerate(words)
    ]


def category_words(
    setting: str, protocol: str, words: Sequence[Word], boxes: np.ndarray, **values: np.ndarray
) -> list[dict[str, Any]]:
    """Numbers of every category word, for the JSON.

    Args:
        setting: of the numbers.
        protocol: of the numbers.
        words: C categories.
        boxes: (C,) annotated boxes.
        **values: name -> (C,) numbers.
    """
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

"""Results as rows: one printed table, one JSON file. Every row names its setting and protocol, and
every AP its chance level.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from ovarnet.evaluation.attributes import AttributeMetrics
from ovarnet.evaluation.box_given import CategoryMetrics
from ovarnet.evaluation.coco_ovd import CocoOvdResult
from ovarnet.evaluation.proposal_recall import BoxRecall
from ovarnet.io.files import write_json
from ovarnet.structures import Detections
from ovarnet.vocabulary import Word

HEADINGS = ("setting", "measure", "protocol", "group", "value", "chance", "of", "skipped")


@dataclass(frozen=True)
class Row:
    """One number. value, chance: fractions in [0, 1], nan where undefined, chance None where there
    is none.

    of: how many words (or boxes, for accuracy and recall) it is a mean over before leaving out
    `skipped` words without a positive.
    """

    setting: str
    measure: str
    protocol: str
    group: str
    value: float
    chance: float | None = None
    of: int = 0
    skipped: int = 0


@dataclass
class Report:
    """about: what was evaluated (name -> value). rows: the table. words: numbers of every word, for
    the JSON. notes: printed below.

    predictions: {setting: one Detections per image}, what was scored; neither printed nor written.
    """

    about: dict
    rows: list[Row] = field(default_factory=list)
    words: list[dict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    predictions: dict[str, Sequence[Detections]] = field(default_factory=dict)

    def value(
        self, setting: str, measure: str, group: str = "all", protocol: str | None = None
    ) -> float:
        """The one value of these names; KeyError when there is none or, without `protocol`,
        several.
        """
        found = [
            row.value
            for row in self.rows
            if (row.setting, row.measure, row.group) == (setting, measure, group)
            and protocol in (None, row.protocol)
        ]
        if len(found) != 1:
            raise KeyError(f"{len(found)} rows for {setting}, {measure}, {group}, {protocol}")
        return found[0]

    def table(self) -> str:
        """The rows in percent; what repeats from the row above is left blank."""
        cells, above = [list(HEADINGS)], ("",) * 3
        for row in self.rows:
            names = (row.setting, row.measure, row.protocol)
            same = 0
            while same < 3 and names[same] == above[same]:
                same += 1
            shown = [""] * same + list(names[same:])
            cells.append(
                [
                    *shown,
                    row.group,
                    _percent(row.value),
                    _percent(row.chance),
                    str(row.of),
                    str(row.skipped or ""),
                ]
            )
            above = names
        widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS))]
        lines = [
            "  ".join(
                text.ljust(width) if column < 4 else text.rjust(width)
                for column, (text, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in cells
        ]
        about = ", ".join(f"{name} {value}" for name, value in self.about.items())
        return "\n".join(
            [
                about,
                "",
                lines[0],
                "-" * len(lines[0]),
                *lines[1:],
                *([""] if self.notes else []),
                *self.notes,
            ]
        )

    def write(self, path: str | Path) -> None:
        """The same and the numbers of every word as JSON; values are fractions, undefined ones
        null.
        """
        write_json(
            path,
            _without_nan(
                {
                    "about": self.about,
                    "rows": [asdict(row) for row in self.rows],
                    "words": self.words,
                    "notes": self.notes,
                }
            ),
            indent=1,
        )


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


def _percent(value: float | None) -> str:
    return "" if value is None else "-" if math.isnan(value) else f"{100 * value:.2f}"


def _without_nan(value):
    if isinstance(value, dict):
        return {key: _without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_without_nan(entry) for entry in value]
    return None if isinstance(value, float) and math.isnan(value) else value

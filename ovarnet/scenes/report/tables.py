"""The tables of the report: numbers in percent, one row per model, as Markdown and as HTML."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ovarnet.evaluation.protocols import AUTHORS, FREE, GIVEN, OVAD
from ovarnet.scenes.report.numbers import Metrics

GROUPS = ("base", "novel", "all")


@dataclass
class Table:
    """A table of numbers.

    Attributes:
        title: In bold before the note.
        note: One or two sentences.
        columns: (group, name) pairs; neighbours of one group share a heading.
        rows: Name -> one value per column, nan where there is none.
        best: Which row of a column is set in bold: max, min, or None.
        digits: Decimals.
        plain: Rows that do not compete, such as chance.
    """

    title: str
    note: str
    columns: Sequence[tuple[str, str]]
    rows: Mapping[str, Sequence[float]]
    best: Callable | None = max
    digits: int = 1
    plain: set[str] = field(default_factory=set)

    def cells(self) -> dict[str, list[tuple[str, bool]]]:
        """Row -> (text, is best) of every column.

        A lone number is not best; all that are printed like the best are.
        """
        texts = {
            name: ["–" if math.isnan(value) else f"{value:.{self.digits}f}" for value in values]
            for name, values in self.rows.items()
        }
        competing = {name: values for name, values in self.rows.items() if name not in self.plain}
        winners = []
        for column in range(len(self.columns)):
            known = {
                name: values[column]
                for name, values in competing.items()
                if not math.isnan(values[column])
            }
            top = self.best(known.values()) if self.best and len(known) > 1 else None
            winners.append(
                {
                    name
                    for name in known
                    if top is not None and texts[name][column] == f"{top:.{self.digits}f}"
                }
            )
        return {
            name: [(text, name in winners[column]) for column, text in enumerate(row)]
            for name, row in texts.items()
        }

    def markdown(self) -> str:
        """The table as Markdown."""
        heads = [
            f"{group}, {name}" if group and name else group or name for group, name in self.columns
        ]
        lines = [f"| | {' | '.join(heads)} |", "|---" + "|---:" * len(heads) + "|"]
        for name, row in self.cells().items():
            lines.append(
                f"| {name} | {' | '.join(f'**{text}**' if best else text for text, best in row)} |"
            )
        return f"**{self.title}.** {self.note}\n\n" + "\n".join(lines) + "\n"

    def html(self) -> str:
        """The table as HTML."""
        first, second = [], []
        for index, (group, name) in enumerate(self.columns):
            if index == 0 or group != self.columns[index - 1][0]:
                span = next(
                    (i for i, (other, _) in enumerate(self.columns[index:]) if other != group),
                    len(self.columns) - index,
                )
                first.append(f'<th colspan="{span}" class="start">{html.escape(group)}</th>')
            second.append(f'<th class="{self._class(index)}">{html.escape(name)}</th>')
        lines = [f"<tr><th></th>{''.join(first)}</tr>", f"<tr><th></th>{''.join(second)}</tr>"]
        for name, row in self.cells().items():
            cells = "".join(
                f'<td class="{self._class(i)}">{f"<b>{text}</b>" if best else text}</td>'
                for i, (text, best) in enumerate(row)
            )
            plain = " class=plain" if name in self.plain else ""
            lines.append(f"<tr{plain}><th>{html.escape(name)}</th>{cells}</tr>")
        return (
            f'<div class="table"><table><caption><b>{html.escape(self.title)}.</b> '
            f"{html.escape(self.note)}</caption>"
            f"<thead>{lines[0]}{lines[1]}</thead><tbody>{''.join(lines[2:])}</tbody></table></div>"
        )

    def _class(self, column: int) -> str:
        starts = column == 0 or self.columns[column][0] != self.columns[column - 1][0]
        return " ".join(["start"] * starts + ["novel"] * (self.columns[column][1] == "novel"))


def box_given(models: Mapping[str, Metrics]) -> Table:
    """models: name -> metrics, in the order of the chain."""
    measures = ("category accuracy", "attribute mAP")
    columns = [(measure, group) for measure in measures for group in GROUPS]
    rows = {
        name: [metrics.value(GIVEN, measure, group) for measure, group in columns]
        for name, metrics in models.items()
    }
    last = list(models.values())[-1]
    chance = {
        "chance": [last.value(GIVEN, measure, group, of="chance") for measure, group in columns]
    }
    return Table(
        "Box-given",
        "The annotated boxes are handed to the model. Accuracy: best of all category words. %.",
        columns,
        chance | rows,
        plain={"chance"},
    )


def parent_types(models: Mapping[str, Metrics]) -> Table:
    """models: name -> metrics, in the order of the chain."""
    last = list(models.values())[-1]
    columns = [("attribute mAP by parent type", name) for name in last.types()]
    rows = {
        name: [metrics.value(GIVEN, "attribute mAP", f"type {kind}") for _, kind in columns]
        for name, metrics in models.items()
    }
    chance = {
        "chance": [
            last.value(GIVEN, "attribute mAP", f"type {kind}", of="chance") for _, kind in columns
        ]
    }
    return Table(
        "Box-given, by parent type",
        "Base and novel words together. %.",
        columns,
        chance | rows,
        plain={"chance"},
    )


def box_free(models: Mapping[str, Metrics]) -> Table:
    """models: name -> metrics, in the order of the chain."""
    measures = {
        "AP50 (COCO-OVD)": ("COCO-OVD AP50", None),
        "attribute mAP, authors": ("attribute mAP", AUTHORS),
        "attribute mAP, ovad": ("attribute mAP", OVAD),
    }
    columns = [(title, group) for title in measures for group in GROUPS]
    rows = {
        name: [
            metrics.value(FREE, measures[title][0], group, measures[title][1])
            for title, group in columns
        ]
        for name, metrics in models.items()
    }
    last = list(models.values())[-1]
    chance = [
        last.value(FREE, measures[title][0], group, measures[title][1], of="chance")
        for title, group in columns
    ]
    return Table(
        "Box-free",
        "The model finds the boxes itself. Attributes of an annotated box are those of the "
        "detection of best IoU (authors), or of its one-to-one partner at IoU >= 0.5 (ovad). %.",
        columns,
        {"chance": chance} | rows,
        plain={"chance"},
    )


def proposals(models: Mapping[str, Metrics]) -> Table:
    """models: the proposers by name -> metrics of the model that uses them."""
    columns = [(measure, group) for measure in ("R@50", "R@100", "AR@100") for group in GROUPS]
    rows = {
        name: [metrics.value(FREE, f"proposals {measure}", group) for measure, group in columns]
        for name, metrics in models.items()
    }
    return Table(
        "Proposals",
        "Share of the annotated boxes that the 50 or 100 best proposals hit: at IoU 0.5 (R), and "
        "the mean over IoU 0.5 to 0.95 (AR). %.",
        columns,
        rows,
    )


def speed(milliseconds: Mapping[str, float], images: int) -> Table:
    """milliseconds: name -> median time of one image. images: how many were timed."""
    rows = {
        name: [value, max(milliseconds.values()) / value] for name, value in milliseconds.items()
    }
    return Table(
        "Time per image",
        f"detect() on one image at a time, all words, by turns on {images} test images; median.",
        [("milliseconds", ""), ("times as fast", "")],
        rows,
        best=None,
    )

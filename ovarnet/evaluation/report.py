"""Results as rows: one printed table, one JSON file.

Every row names its setting and protocol, and every AP its chance level.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ovarnet.evaluation.attributes import AttributeMetrics
from ovarnet.io.files import write_json
from ovarnet.structures import Detections

HEADINGS = ("setting", "measure", "protocol", "group", "value", "chance", "of", "skipped")
TEXT_COLUMNS = 4
"""The first headings, which are aligned left."""


@dataclass(frozen=True)
class Row:
    """One number of a report.

    Attributes:
        setting: "box-given" or "box-free".
        measure: what it is.
        protocol: by which rules (`ovarnet.evaluation.protocols`).
        group: of words: "all", "base", "novel", ...
        value: fraction in [0, 1], nan where undefined.
        chance: value of constant scores, in the same form; None where there is none.
        of: how many words it is a mean over, `skipped` included; boxes for accuracy and recall.
        skipped: how many of the words have no positive and are left out.
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
    """Everything that one evaluation found.

    Attributes:
        about: what was evaluated, name -> value; printed above the table.
        rows: the table.
        words: numbers of every word, for the JSON alone.
        notes: printed below the table.
        official: {setting: what the official attribute tool reports}, for the JSON alone.
        predictions: {setting: one Detections per image}, what was scored; not written.
        attribute_metrics: {(setting, protocol): all numbers}; not written.
    """

    about: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    words: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    official: dict[str, dict] = field(default_factory=dict)
    predictions: dict[str, Sequence[Detections]] = field(default_factory=dict)
    attribute_metrics: dict[tuple[str, str], AttributeMetrics] = field(default_factory=dict)

    def value(
        self, setting: str, measure: str, group: str = "all", protocol: str | None = None
    ) -> float:
        """The one value of these names.

        Raises:
            KeyError: there is none or, without `protocol`, more than one.
        """
        wanted = (setting, measure, group)
        found = [
            row.value
            for row in self.rows
            if (row.setting, row.measure, row.group) == wanted and protocol in (None, row.protocol)
        ]
        if len(found) != 1:
            raise KeyError(f"{len(found)} rows for {setting}, {measure}, {group}, {protocol}")
        return found[0]

    def table(self) -> str:
        """The rows in percent; what repeats from the row above is left blank."""
        cells: list[Sequence[str]] = [HEADINGS]
        above = ("", "", "")
        for row in self.rows:
            names = (row.setting, row.measure, row.protocol)
            same = 0
            while same < len(names) and names[same] == above[same]:
                same += 1
            numbers = (_percent(row.value), _percent(row.chance), str(row.of))
            cells.append((*[""] * same, *names[same:], row.group, *numbers, str(row.skipped or "")))
            above = names

        widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS))]
        lines = [
            "  ".join(
                text.ljust(width) if column < TEXT_COLUMNS else text.rjust(width)
                for column, (text, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in cells
        ]
        about = ", ".join(f"{name} {value}" for name, value in self.about.items())
        notes = ["", *self.notes] if self.notes else []
        return "\n".join([about, "", lines[0], "-" * len(lines[0]), *lines[1:], *notes])

    def write(self, path: str | Path) -> None:
        """Write rows, words and notes as JSON; values are fractions, undefined ones null."""
        content: dict[str, Any] = {
            "about": self.about,
            "rows": [asdict(row) for row in self.rows],
            "words": self.words,
            "notes": self.notes,
        }
        if self.official:
            content["official"] = self.official
        write_json(path, _without_nan(content), indent=1)


def _percent(value: float | None) -> str:
    if value is None:
        return ""
    return "-" if math.isnan(value) else f"{100 * value:.2f}"


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_without_nan(entry) for entry in value]
    return None if isinstance(value, float) and math.isnan(value) else value

"""Results as rows: one printed table, one JSON file. Every row names its setting and protocol, and
every AP its chance level.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ovarnet.io.files import write_json
from ovarnet.structures import Detections

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


def _percent(value: float | None) -> str:
    return "" if value is None else "-" if math.isnan(value) else f"{100 * value:.2f}"


def _without_nan(value):
    if isinstance(value, dict):
        return {key: _without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_without_nan(entry) for entry in value]
    return None if isinstance(value, float) and math.isnan(value) else value

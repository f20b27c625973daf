"""The numbers of a chain: metrics.json of every model and history.json of every stage."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from ovarnet.io.files import read_json

NAN = float("nan")


@dataclass
class Metrics:
    """metrics.json of one model, as `ovarnet evaluate` writes it.

    Attributes:
        rows: (setting, measure, protocol) -> group -> the row.
        words: One entry per word and protocol.
    """

    rows: dict[tuple[str, str, str], dict[str, dict]]
    words: list[dict]

    @classmethod
    def read(cls, path: Path) -> Metrics:
        """Read one metrics.json."""
        content = read_json(path, dict)
        rows: dict[tuple[str, str, str], dict[str, dict]] = {}
        for row in content["rows"]:
            rows.setdefault((row["setting"], row["measure"], row["protocol"]), {})[row["group"]] = (
                row
            )
        return cls(rows, content["words"])

    def value(
        self,
        setting: str,
        measure: str,
        group: str,
        protocol: str | None = None,
        *,
        of: str = "value",
    ) -> float:
        """One number in percent.

        Args:
            setting: "box-given" or "box-free".
            measure: Such as "attribute mAP".
            group: "base", "novel", "all" or "type NAME".
            protocol: None where the measure has only one.
            of: "value" or "chance".

        Returns:
            The number; nan where it is undefined, or no word is of that group.

        Raises:
            KeyError: The measure is not there, or under several protocols without `protocol`.
        """
        found = [
            groups
            for (row_setting, row_measure, row_protocol), groups in self.rows.items()
            if (row_setting, row_measure) == (setting, measure) and protocol in (None, row_protocol)
        ]
        if len(found) != 1:
            raise KeyError(f"{len(found)} measures {setting}, {measure}, {protocol}")
        return _percent(found[0][group][of]) if group in found[0] else NAN

    def types(self) -> list[str]:
        """Parent types of the attributes, in the order of the vocabulary."""
        groups = next(
            (groups for (_, measure, _), groups in self.rows.items() if measure == "attribute mAP"),
            {},
        )
        return [group.removeprefix("type ") for group in groups if group.startswith("type ")]

    def of_words(
        self, setting: str, kind: str, number: str, protocol: str | None = None
    ) -> dict[str, float]:
        """Word -> its `number` ("ap", "ap50", "chance") in percent.

        Args:
            setting: "box-given" or "box-free".
            kind: "attribute" or "category".
            number: The key of the number in the entry of a word.
            protocol: None takes the entries of every protocol.
        """
        return {
            entry[kind]: _percent(entry[number])
            for entry in self.words
            if kind in entry
            and entry["setting"] == setting
            and number in entry
            and protocol in (None, entry["protocol"])
        }


def read_history(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Curves of a training stage; {} when it has none."""
    path = folder / "history.json"
    return read_json(path, dict) if path.is_file() else {}


def _percent(value: float | None) -> float:
    return NAN if value is None or math.isnan(value) else 100 * value

"""Means and deviations over seeds, as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

LEADING = (
    "attributes/base",
    "attributes/novel",
    "attributes/all",
    "categories/base",
    "categories/novel",
    "categories/all",
)


def markdown(results: Mapping[str, Sequence[Mapping[str, float]]], columns: Sequence[str]) -> str:
    """A Markdown table of percentages, "mean ± deviation" where there are several seeds.

    Args:
        results: Row -> one result per seed.
        columns: Keys of a result; "–" where a row has none.
    """
    titles = [
        column.replace("attributes/", "mAP ").replace("categories/", "accuracy ")
        for column in columns
    ]
    lines = [f"| | {' | '.join(titles)} |", "|---" * (len(columns) + 1) + "|"]
    for name, runs in results.items():
        cells = [cell([run[column] for run in runs if column in run]) for column in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def cell(values: Sequence[float]) -> str:
    """One number, or mean and sample deviation; "–" without any."""
    if not values:
        return "–"
    mean = f"{statistics.fmean(values):.1f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.1f}"


def columns_of(result: Mapping[str, float]) -> tuple[list[str], list[str]]:
    """The columns of the main table, and those of the parent types."""
    return list(LEADING), [key for key in result if key not in LEADING]

"""The curves of a run as a table of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

HEAD = ("", "first", "last", "lowest", "at iteration")


def curve_table(history: Mapping[str, Sequence[tuple[int, float]]]) -> str:
    """A row for each curve, with numbers of four digits.

    Args:
        history: Curve -> points (iteration, value), as in history.json.

    Returns:
        First, last and lowest value of each curve, and the iteration of the lowest; "" without
        curves.
    """
    rows: list[tuple[str, ...]] = [HEAD]
    for name, points in history.items():
        iteration, lowest = min(points, key=lambda point: point[1])
        values = (points[0][1], points[-1][1], lowest)
        rows.append((name, *(f"{value:.4g}" for value in values), str(iteration)))
    if len(rows) == 1:
        return ""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        row[0].ljust(widths[0])
        + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    )

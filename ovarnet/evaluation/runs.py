"""Runs of a table, every row for every seed; an interrupted table continues where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from ovarnet.io.files import read_json, write_json

Made = TypeVar("Made")
Result = dict[str, float]
Run = tuple[str, int, Callable[[], Result]]
"""Row, seed, and what measures it."""


def run_missing(runs: Iterable[Run], path: Path) -> dict[str, list[Result]]:
    """Measure what is not yet in a file of results.

    Args:
        runs: All runs, in order.
        path: A JSON file of row -> seed -> result; written after each run.

    Returns:
        Row -> one result per seed.
    """
    results: dict[str, dict[str, Result]] = read_json(path, dict) if path.is_file() else {}
    for row, seed, measure in runs:
        if str(seed) not in results.setdefault(row, {}):
            results[row][str(seed)] = measure()
            write_json(path, results, indent=1)
    return {row: list(by_seed.values()) for row, by_seed in results.items()}


def folder_name(row: str, seed: int) -> str:
    """The folder of a run: letters and digits of the row's name, and the seed."""
    return f"{''.join(letter if letter.isalnum() else '_' for letter in row)}_{seed}"


class Once:
    """Values that are costly and shared by several runs, made when they are first needed."""

    def __init__(self):
        self.made: dict[Hashable, Any] = {}

    def __call__(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """The value of `key`, made by `make` the first time."""
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]

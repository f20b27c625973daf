"""Runs of a table: every row for every seed, written after each, so that a table that was stopped
goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from ovarnet.io.files import read_json, write_json

Made = TypeVar("Made")
Result = dict[str, float]


def run_missing(
    runs: Iterable[tuple[str, int, Callable[[], Result]]], path: Path
) -> dict[str, list[Result]]:
    """Row -> one result per seed. runs: (row, seed, what measures it), in order; those in the file
    at `path` are not measured again.
    """
    results: dict[str, dict[str, Result]] = read_json(path, dict) if path.is_file() else {}
    for row, seed, measure in runs:
        if str(seed) not in results.setdefault(row, {}):
            results[row][str(seed)] = measure()
            write_json(path, results, indent=1)
    return {row: list(by_seed.values()) for row, by_seed in results.items()}


def folder_name(row: str, seed: int) -> str:
    """Of a run: the row's name, what is neither letter nor digit replaced, and the seed."""
    return f"{''.join(letter if letter.isalnum() else '_' for letter in row)}_{seed}"


class Once:
    """What is costly and the same for several runs: made when it is first asked for."""

    def __init__(self):
        self.made: dict[Hashable, Any] = {}

    def __call__(self, key: Hashable, make: Callable[[], Made]) -> Made:
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]

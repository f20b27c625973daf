"""What a setting may be, stated beside its field; one generic check reads it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from omegaconf import MISSING

from ovarnet.errors import InputError

PATH_PART_BYTES = 255
"""Longest name of a file or folder that common file systems take."""


@dataclass(frozen=True)
class Allowed:
    """Values that a setting accepts; of a list or tuple, every element.

    Attributes:
        at_least: Smallest number.
        more_than: Number below all allowed ones.
        at_most: Largest number; infinity allows infinity, None every finite number.
        less_than: Number above all allowed ones.
        one_of: The only words or numbers.
        is_path: Text names a file or folder.
        items: Fewest and most elements of a list.
        note: Added to the description in errors.
    """

    at_least: float | None = None
    more_than: float | None = None
    at_most: float | None = None
    less_than: float | None = None
    one_of: tuple[str | int, ...] = ()
    is_path: bool = False
    items: tuple[int, int] = (0, 10_000)
    note: str = ""

    def accepts(self, value: Any) -> bool:
        """Whether `value`, of the right type already, is allowed."""
        if isinstance(value, (list, tuple)):
            fewest, most = self.items
            return fewest <= len(value) <= most and all(map(self.accepts, value))
        if self.one_of:
            return value in self.one_of
        if isinstance(value, str):
            return _is_path(value) if self.is_path else _is_text(value)
        return self._in_range(value)

    def _in_range(self, value: float) -> bool:
        return (
            (math.isfinite(value) or value == self.at_most)
            and (self.at_least is None or value >= self.at_least)
            and (self.more_than is None or value > self.more_than)
            and (self.at_most is None or value <= self.at_most)
            and (self.less_than is None or value < self.less_than)
        )

    def describe(self, value: Any) -> str:
        """What is allowed, in words that follow "it must be"."""
        if isinstance(value, (list, tuple)):
            fewest, most = self.items
            size = f"{fewest}" if fewest == most else f"{fewest} to {most:,}"
            return f"{size} values, each {self._describe_one(value)}"
        return self._describe_one(value)

    def _describe_one(self, value: Any) -> str:
        if self.one_of:
            return f"one of {', '.join(map(str, self.one_of))}{self.note}"
        if self.is_path:
            return f"a path, not empty, of names of at most {PATH_PART_BYTES} bytes{self.note}"
        low, high = self._low_and_high()
        if self.at_least is not None and high:
            limits = f"from {low} to {high}"
        elif self.at_least is not None:
            limits = f"{low} or more"
        else:
            limits = " and ".join(filter(None, (low, high)))
        is_text = isinstance(value, str) or (
            isinstance(value, (list, tuple)) and any(isinstance(part, str) for part in value)
        )
        return (limits or ("text that is not empty" if is_text else "a finite number")) + self.note

    def _low_and_high(self) -> tuple[str, str]:
        low = "" if self.more_than is None else f"more than {_shown(self.more_than)}"
        if self.at_least is not None:
            low = _shown(self.at_least)
        high = "" if self.less_than is None else f"less than {_shown(self.less_than)}"
        if self.at_most is not None and self.at_most != math.inf:
            high = (
                _shown(self.at_most)
                if self.at_least is not None
                else f"at most {_shown(self.at_most)}"
            )
        return low, high


def _shown(number: float) -> str:
    return f"{number:,.10g}"


def setting(default: Any = MISSING, **allowed: Any) -> Any:
    """A field of a settings class with what it accepts, see `Allowed`.

    Args:
        default: Its value where a config states none; without it, a config has to state it.
        **allowed: Fields of `Allowed`.
    """
    metadata = {"allowed": Allowed(**allowed)}
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def path_setting(default: Any = MISSING) -> Any:
    """A field that names a file or a folder."""
    return setting(default, is_path=True)


def check_values(config: Any, source: str) -> None:
    """Check every setting of a resolved config, and of its groups, against what its field allows.

    Raises:
        InputError: Names `source`, the first setting that is not allowed, its value and the range.
    """
    for name, value, allowed in _settings(config):
        if value is not None and not allowed.accepts(value):
            shown = f"{value!r:.80}" if isinstance(value, str) else f"{value!s:.80}"
            raise InputError(f"{source}: {name} is {shown}; it must be {allowed.describe(value)}")


def _settings(config: Any, prefix: str = "") -> Iterator[tuple[str, Any, Allowed]]:
    """Dotted name, value and allowed values of all settings of a config that have a range."""
    for member in fields(config):
        value = getattr(config, member.name)
        if is_dataclass(value):
            yield from _settings(value, f"{prefix}{member.name}.")
        elif "allowed" in member.metadata:
            yield f"{prefix}{member.name}", value, member.metadata["allowed"]


def _is_text(text: str) -> bool:
    return bool(text.strip()) and "\0" not in text


def _is_path(text: str) -> bool:
    try:
        parts = [os.fsencode(part) for part in text.split("/")]
    except UnicodeEncodeError:  # half of a character, which no file name has
        return False
    return _is_text(text) and max(map(len, parts)) <= PATH_PART_BYTES

"""Fields of annotation records, in the loose types that exporters write.

Numbers may be strings or whole floats, flags may be strings, and null means that nothing is said.
What is clear is read; for anything else the functions return None and the reader says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ovarnet.errors import InputError
from ovarnet.vocabulary import LONGEST_WORD, is_encodable

FARTHEST = 1e9
"""No number in pixels is as large; NaN and infinities fail the comparison too."""
_FLAGS = {"0": False, "1": True, "false": False, "true": True, "": False}


def as_number(value: object) -> float | None:
    """A finite number below 1e9: 7, 7.5 or "7.5"."""
    if isinstance(value, str):
        try:
            value = float(value) if "_" not in value else None
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if -FARTHEST < value < FARTHEST else None


def as_whole_number(value: object) -> int | None:
    """A whole number: 7, 7.0, "7" or "7.0"."""
    number = as_number(value)
    return int(number) if number is not None and number == int(number) else None


def as_id(value: object) -> str | None:
    """An id as a string: whole numbers, and strings that are not blank.

    7, 7.0 and "7" are one id; "007" is another.
    """
    if type(value) is int:
        return str(value)
    if isinstance(value, str):
        return value.strip() or None
    number = as_whole_number(value)
    return None if number is None else str(number)


def as_flag(value: object) -> bool | None:
    """Yes or no: 0 or 1, true or false, also as strings; null and "" mean no."""
    if value is None:
        return False
    if isinstance(value, str):
        return _FLAGS.get(value.strip().lower())
    if isinstance(value, (bool, int, float)) and value in (0, 1):
        return bool(value)
    return None


def as_word(value: object) -> str | None:
    """A word of 1 to 200 characters, without the spaces around it.

    A number is none: among attributes it is more often an index into a list elsewhere.
    """
    if not isinstance(value, str):
        return None
    word = value.strip()
    return word if 0 < len(word) <= LONGEST_WORD and is_encodable(word) else None


def as_name(value: object) -> str | None:
    """The name of a category: a word, or a whole number (digits are categories too)."""
    return as_word(str(value) if type(value) is int else value)


def records_of(data: dict[str, Any], key: str, source: str | Path) -> list[dict[str, Any]]:
    """The list of objects under a key of an annotation file.

    Args:
        data: content of the file.
        key: name of the list.
        source: the file, for messages.

    Raises:
        InputError: there is no such list, or something in it is no object.
    """
    records = data.get(key)
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise InputError(
            f"{source}: {key!r} must be a list of objects; is this the right annotation file?"
        )
    return records


def ids_of(records: Iterable[dict[str, Any]]) -> list[str]:
    """The ids of the records that have one."""
    ids = (as_id(record.get("id")) for record in records)
    return [found for found in ids if found is not None]


def check_ids(ids: list[str], what: str, source: str | Path) -> None:
    """Check that no id occurs twice, which would silently join two things.

    Args:
        ids: the ids.
        what: what they belong to, for the message ("image").
        source: the file, for the message.

    Raises:
        InputError: an id occurs more than once.
    """
    name, count = Counter(ids).most_common(1)[0] if ids else ("", 0)
    if count > 1:
        raise InputError(
            f"{source}: {what} id {name} occurs {count} times; give each {what} an id of its own"
        )

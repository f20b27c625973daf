"""Large JSON annotation files read record by record, in the memory of one record.

COCO's training file is 450 MB, of which the boxes are a tenth. Only the form that annotation files
have is read this way: an object whose values are lists of records (COCO, OVAD), or a list of
records (VAW, LSA).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO, overload

from ovarnet.errors import InputError
from ovarnet.io.files import DuplicateKeyError, too_long, unique_keys

CHUNK = 1 << 20
_SPACE = " \t\r\n"


class Record(NamedTuple):
    """One record of a file.

    Attributes:
        key: name of the list that holds it ("annotations"); None in a file that is one list.
        position: position in the list; None for a value that is no list or an empty one, of which
            `value` is the whole.
        line: line of the file, from 1.
        value: the decoded value.
        text: the value as it stands in the file.
    """

    key: str | None
    position: int | None
    line: int
    value: Any
    text: str


def stream_json(path: str | Path, expected: type[dict] | type[list] = dict) -> Iterator[Record]:
    """Read the records of a file in its order.

    Args:
        path: the file.
        expected: dict or list, the type of its top level.

    Yields:
        The records, and the values of an object that are no lists.

    Raises:
        InputError: no such file, not UTF-8, another top level, a key that occurs twice in one
            object, or not valid JSON, with the line; a truncated file is not valid.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from _Reader(path, file).records(expected)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: not UTF-8 text (byte {error.start} of a block); save it as UTF-8"
        ) from None
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); give a readable text file"
        ) from None


@overload
def read_records(
    path: str | Path, expected: type[list], drop: Collection[str] = ()
) -> list[Any]: ...


@overload
def read_records(
    path: str | Path, expected: type[dict] = dict, drop: Collection[str] = ()
) -> dict[str, Any]: ...


def read_records(
    path: str | Path, expected: type[dict] | type[list] = dict, drop: Collection[str] = ()
) -> dict[str, Any] | list[Any]:
    """Read a whole file in a fifth of the memory of `read_json`: records share their key strings.

    Args:
        path: the file.
        expected: dict or list, the type of its top level.
        drop: keys of records that are not kept, such as polygons.

    Raises:
        InputError: as `stream_json`.
    """
    values: dict[str, Any] = {}
    records: list[Any] = []
    for record in stream_json(path, expected):
        value = record.value
        if isinstance(value, dict):
            value = {sys.intern(key): entry for key, entry in value.items() if key not in drop}
        if record.key is None:
            records.append(value)
        elif record.position is None:
            values[record.key] = value
        else:
            values.setdefault(record.key, []).append(value)
    return values if expected is dict else records


class _Reader:
    """Holds a block of the file as text; `at` is the next character to read."""

    def __init__(self, path: Path, file: TextIO):
        self.path, self.file = path, file
        self.text, self.at, self.line, self.ended = "", 0, 1, False
        self.decode = json.JSONDecoder(object_pairs_hook=unique_keys).raw_decode

    def records(self, expected: type[dict] | type[list]) -> Iterator[Record]:
        first = self._peek()
        if not first:
            raise InputError(f"{self.path}: the file is empty; write it again or download it anew")
        if first != ("{" if expected is dict else "["):
            found = {"{": "dict", "[": "list"}.get(first, "a single value")
            wanted = "an object {...}" if expected is dict else "a list [...]"
            raise InputError(f"{self.path}: holds {found} at its top level; expected {wanted}")
        yield from self._list(None) if expected is list else self._object()
        if self._peek():
            raise self._broken("text after the end")

    def _object(self) -> Iterator[Record]:
        self._take("{")
        keys: set[str] = set()
        while self._peek() != "}":
            key, line = self._value()[0], self.line
            if not isinstance(key, str):
                raise self._broken("a key is not a string")
            if key in keys:
                raise self._duplicate(f"the key {key!r:.60} occurs twice in one object")
            keys.add(key)
            self._take(":")
            if self._peek() == "[" and self._is_filled():
                yield from self._list(key)
            else:
                value, text = self._value()
                yield Record(key, None, line, value, text)
            self._separate("}")
        self._take("}")

    def _list(self, key: str | None) -> Iterator[Record]:
        self._take("[")
        position = 0
        while self._peek() != "]":
            line = self.line
            value, text = self._value()
            yield Record(key, position, line, value, text)
            position += 1
            self._separate("]")
        self._take("]")

    def _is_filled(self) -> bool:
        """Whether the list that begins here has a record."""
        while True:
            rest = self.text[self.at + 1 : self.at + 200].lstrip(_SPACE)
            if rest or self.ended:
                return rest[:1] != "]"
            self._fill()

    def _value(self) -> tuple[Any, str]:
        self._peek()
        while True:
            try:
                value, end = self.decode(self.text, self.at)
            except json.JSONDecodeError as error:
                if self.ended:
                    raise self._broken(error.msg, error.pos) from None
            except DuplicateKeyError as error:
                raise self._duplicate(str(error)) from None
            except ValueError:  # Python's own limit
                raise self._broken(too_long()) from None
            except RecursionError:
                raise self._broken("nested too deeply") from None
            else:
                if end < len(self.text) or self.ended:  # a number may continue in the next block
                    text = self.text[self.at : end]
                    self._advance(end)
                    return value, text
            self._fill()

    def _peek(self) -> str:
        """The next character that is not space, without taking it; "" at the end."""
        while True:
            start = self.at
            while start < len(self.text) and self.text[start] in _SPACE:
                start += 1
            self._advance(start)
            if self.at < len(self.text):
                return self.text[self.at]
            if self.ended:
                return ""
            self._fill()

    def _take(self, character: str) -> None:
        if self._peek() != character:
            raise self._broken(f"expected {character!r}")
        self._advance(self.at + 1)

    def _separate(self, closing: str) -> None:
        if self._peek() == ",":
            self._take(",")
            if self._peek() == closing:
                raise self._broken("a comma before the end")
        elif self._peek() != closing:
            raise self._broken(f"expected ',' or {closing!r}")

    def _advance(self, position: int) -> None:
        self.line += self.text.count("\n", self.at, position)
        self.at = position

    def _fill(self) -> None:
        """Read as much again as is pending, so that a large record costs few attempts."""
        pending = self.text[self.at :]
        block = self.file.read(max(CHUNK, len(pending)))
        self.text, self.at, self.ended = pending + block, 0, not block

    def _broken(self, why: str, position: int | None = None) -> InputError:
        line = self.line + self.text.count("\n", self.at, self.at if position is None else position)
        return InputError(
            f"{self.path}: not valid JSON (line {line}: {why}); the file may be truncated, "
            "download or write it again"
        )

    def _duplicate(self, what: str) -> InputError:
        return InputError(f"{self.path}: {what} (line {self.line}); keep one of them")

"""Small text and JSON files with one-line errors, and files of any kind written atomically."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, overload

import yaml

from ovarnet.errors import InputError


class DuplicateKeyError(ValueError):
    """A key occurs twice in one JSON object, of which Python would keep the last silently."""


def read_text(path: str | Path) -> str:
    """Read a UTF-8 file; a leading byte order mark is dropped.

    Raises:
        InputError: no such file, not readable, or not UTF-8.
    """
    path = Path(path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); give a readable text file"
        ) from None


@overload
def read_json(path: str | Path, expected: type[dict]) -> dict[str, Any]: ...


@overload
def read_json(path: str | Path, expected: type[list]) -> list[Any]: ...


@overload
def read_json(path: str | Path) -> dict[str, Any] | list[Any]: ...


def read_json(path: str | Path, expected: type[dict] | type[list] | None = None) -> Any:
    """Read a JSON file.

    Args:
        path: the file.
        expected: dict or list, the type that its top level must have; None allows both.

    Raises:
        InputError: not readable, empty, not valid JSON, a key that occurs twice in one object, or
            another top level.
    """
    text = read_text(path)
    if not text.strip():
        raise InputError(f"{path}: the file is empty; write it again or download it anew")
    try:
        value = parse_json(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise InputError(
            f"{path}: not valid JSON (line {line}: {error}); the file may be truncated, download "
            "or write it again"
        ) from None
    except DuplicateKeyError as error:
        raise InputError(f"{path}: {error}; keep one of them") from None
    except ValueError:  # Python's own limit
        raise InputError(f"{path}: {too_long()}; write it again or download it anew") from None
    names = {dict: "an object {...}", list: "a list [...]"}
    wanted = {expected: names[expected]} if expected else names
    if not isinstance(value, tuple(wanted)):
        raise InputError(
            f"{path}: holds {type(value).__name__} at its top level; expected "
            f"{' or '.join(wanted.values())}"
        )
    return value


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        json.JSONDecodeError: not valid JSON.
        DuplicateKeyError: a key occurs twice in one object.
        RecursionError: nested too deeply.
        ValueError: a whole number of thousands of digits.
    """
    return json.loads(text, object_pairs_hook=unique_keys)


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these pairs, for `object_pairs_hook` of a JSON decoder.

    Raises:
        DuplicateKeyError: a key occurs twice.
    """
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for position, key in enumerate(keys) if key in keys[:position])
        raise DuplicateKeyError(f"the key {twice!r:.60} occurs twice in one object")
    return value


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file in which every scalar is a string: yes, no, on and 7 stay what they are.

    Raises:
        InputError: not readable, not valid YAML, or a key that occurs twice in one mapping.
    """
    try:
        return yaml.load(read_text(path), Loader=_PlainLoader)
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not valid YAML ({error})") from None


class _PlainLoader(yaml.BaseLoader):
    """Reads every scalar as a string."""

    def construct_mapping(self, node, deep=False):
        """As the base class, but a key that occurs twice is an error."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = next((key for position, key in enumerate(keys) if key in keys[:position]), None)
        if twice is not None:
            raise yaml.YAMLError(f"the key {twice!r} occurs twice")
        return super().construct_mapping(node, deep)


def too_long() -> str:
    """What is wrong with JSON that Python refuses although it is valid."""
    return f"a whole number has more than {sys.get_int_max_str_digits():,} digits"


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Write a file atomically: it appears, or is replaced, only when it is complete.

    Missing folders are made. The temporary name holds the process id, so several processes may
    write the same file at once, and the last one's stands.

    Args:
        path: the file to write.

    Yields:
        The temporary file to write to; it becomes `path` when the block ends without an exception.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write a UTF-8 file atomically; lone surrogates are written as escapes."""
    with whole_file(path) as unfinished:
        unfinished.write_bytes(text.encode("utf-8", "backslashreplace"))


def write_json(path: str | Path, value: Any, indent: int | None = None) -> None:
    """Write `value` as JSON, atomically; lone surrogates are written as JSON's escapes."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=indent) + "\n")


def check_folder(path: str | Path, option: str = "--output") -> None:
    """Check, before long work, that `path` can be a folder to write into.

    Args:
        path: the folder; it need not exist.
        option: where it was given, for the message.

    Raises:
        InputError: the path, or what it would lie in, is a file.
    """
    nearest = next(part for part in (Path(path), *Path(path).parents) if os.path.exists(part))
    if not os.path.isdir(nearest):
        raise InputError(f"{nearest}: is a file; {option} needs a folder")


def check_file(path: str | Path) -> None:
    """Check, before long work, that `path` can be a file to write.

    Raises:
        InputError: the path is a folder or lies in a file.
    """
    if os.path.isdir(path):
        raise InputError(f"{path}: is a folder; --output needs a file")
    check_folder(Path(path).parent)


def real_path(path: Path) -> Path:
    """As Path.resolve, which raises for a link that leads to itself."""
    return Path(os.path.realpath(path))


def path_ends(path: str | Path) -> list[str]:
    """The absolute path, then ever shorter ends of it, down to the bare file name."""
    parts = Path(os.path.abspath(path)).parts
    return [Path(*parts[start:]).as_posix() for start in range(len(parts))]

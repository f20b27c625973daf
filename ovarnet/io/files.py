"""Small text and JSON files, read with one-line errors that name the file and the fix; files of any
kind, written whole or not at all.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ovarnet.errors import InputError


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file (a leading byte order mark is dropped)."""
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


def read_json(path: str | Path, expected: type | tuple[type, ...] = (dict, list)):
    """The value in a JSON file; `expected` is the type its top level must have."""
    text = read_text(path)
    if not text.strip():
        raise InputError(f"{path}: the file is empty; write it again or download it anew")
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise InputError(
            f"{path}: not valid JSON (line {line}: {error}); the file may be truncated, download "
            "or write it again"
        ) from None
    except ValueError:  # Python's own limit
        raise InputError(f"{path}: {too_long()}; write it again or download it anew") from None
    if not isinstance(value, expected):
        kinds = expected if isinstance(expected, tuple) else (expected,)
        wanted = " or ".join(
            {dict: "an object {...}", list: "a list [...]"}[kind] for kind in kinds
        )
        raise InputError(
            f"{path}: holds {type(value).__name__} at its top level; expected {wanted}"
        )
    return value


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Where to write what is to become the file `path`, which appears, or is replaced, only when it
    is complete. Missing folders are made.

    The name has the process in it: several processes may write the same file at once, and the last
    one's stands.
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
    """UTF-8. Half a character, as in file names that are not UTF-8, is written as its escape."""
    with whole_file(path) as unfinished:
        unfinished.write_bytes(text.encode("utf-8", "backslashreplace"))


def check_folder(path: str | Path, option: str = "--output") -> None:
    """InputError where `path`, a folder to write into, or what it would lie in is a file. Asked
    before long work.
    """
    nearest = next(part for part in (Path(path), *Path(path).parents) if os.path.exists(part))
    if not os.path.isdir(nearest):
        raise InputError(f"{nearest}: is a file; {option} needs a folder")


def check_file(path: str | Path) -> None:
    """InputError where `path`, a file to write, is a folder or lies in a file. Asked before long
    work.
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


def write_json(path: str | Path, value, indent: int | None = None) -> None:
    """Write `value` as JSON; the file appears only when it is complete. Missing folders are made.

    Half a character, as in file names that are not UTF-8, is written as the escape that JSON has
    for it.
    """
    write_text(path, json.dumps(value, ensure_ascii=False, indent=indent) + "\n")


def too_long() -> str:
    """What is wrong with JSON that Python refuses although it is valid."""
    return f"a whole number has more than {sys.get_int_max_str_digits():,} digits"

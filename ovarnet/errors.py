"""The one error class for bad input, and helpers for its messages.

A message is a single line that names what is wrong and how to fix it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class InputError(ValueError):
    """Raised for anything the user can fix: a file, a word, a box, a checkpoint, a config key.

    The command line prints the message after ``error:`` and exits with code 2, without a traceback.
    """

    def __init__(self, message: str):
        super().__init__(" ".join(str(message).split()))


@contextmanager
def errors_prefixed(source: str | Path) -> Iterator[None]:
    """Prefix the InputErrors raised inside with the file they are about.

    Args:
        source: path of the file; the message becomes ``SOURCE: MESSAGE``.
    """
    try:
        yield
    except InputError as error:
        raise InputError(f"{source}: {error}") from None


def did_you_mean(name: object, valid: Iterable[str]) -> str:
    """The part of a message that suggests the closest valid name.

    Args:
        name: what was given.
        valid: the names that are accepted.

    Returns:
        ``" (did you mean 'dog'?)"``, or ``""`` when no name is close.
    """
    close = difflib.get_close_matches(str(name), list(valid), n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""

"""Standard output whose failure does not stop a run: results are in files."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, TextIO

from ovarnet.io.skipped import Skipped


class SteadyStream:
    """A text stream that survives a closed pipe or a full disk.

    Attributes:
        error: The first failure, None so far; what is written after it is dropped.
    """

    def __init__(self, stream: TextIO):
        self._stream = stream
        self.error: OSError | None = None

    def write(self, text: str) -> int:
        """Write `text` as far as the stream takes it."""
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Flush the stream as far as it can be."""
        self._try(self._stream.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _try(self, action: Callable[[], object]) -> None:
        if self.error is not None:
            return
        try:
            action()
        except OSError as error:
            self.error = error
            self._drop_buffer()

    def _drop_buffer(self) -> None:
        """Discard what the stream still holds, or Python would retry and complain at exit."""
        try:
            number = self._stream.fileno()
        except OSError:  # not a file, as in tests
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)


@contextmanager
def steady_stdout() -> Iterator[SteadyStream]:
    """Replace sys.stdout by a `SteadyStream` that escapes characters it cannot encode."""
    original = sys.stdout
    if getattr(original, "errors", None) == "strict" and hasattr(original, "reconfigure"):
        original.reconfigure(errors="backslashreplace")
    steady = SteadyStream(original)
    sys.stdout = steady
    try:
        yield steady
    finally:
        steady.flush()
        sys.stdout = original


def print_skipped(skipped: Skipped, total: int) -> int:
    """List on stderr the images of a run that could not be used.

    Args:
        skipped: What was left out, one entry an image.
        total: Number of images of the run.

    Returns:
        The exit code: 0, or 2 where something was left out.
    """
    if not skipped:
        return 0
    print(
        f"error: {len(skipped)} of {total} images could not be used:",
        *chain.from_iterable(skipped.items.values()),
        sep="\n  ",
        file=sys.stderr,
    )
    return 2

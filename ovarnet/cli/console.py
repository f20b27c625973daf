"""Standard output that cannot stop a run: what is printed is for the reader, the results are in
files.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

from ovarnet.io.skipped import Skipped


class SteadyStream:
    """A text stream whose first failure (a closed pipe, a full disk) is kept in `error`; what is
    written after it is dropped.
    """

    def __init__(self, stream):
        self._stream, self.error = stream, None

    def write(self, text: str) -> int:
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def __getattr__(self, name: str):
        return getattr(self._stream, name)

    def _try(self, action) -> None:
        if self.error is not None:
            return
        try:
            action()
        except OSError as error:
            self.error = error
            self._drop_buffer()

    def _drop_buffer(self) -> None:
        """What the stream still holds goes nowhere, or Python would try again when it ends and
        complain.
        """
        try:
            number = self._stream.fileno()
        except OSError:  # not a file, as in tests
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)


@contextmanager
def steady_stdout() -> Iterator[SteadyStream]:
    """Within, sys.stdout is a `SteadyStream`; characters that it cannot encode are written as
    escapes.
    """
    original = sys.stdout
    if getattr(original, "errors", None) == "strict" and hasattr(original, "reconfigure"):
        original.reconfigure(errors="backslashreplace")
    sys.stdout = steady = SteadyStream(original)
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

"""What a command line names as images: files, folders, patterns, URLs, and a list on stdin."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from ovarnet.errors import InputError
from ovarnet.io.download import is_url

Source: TypeAlias = Path | str
"""A file; or the text of an address: a URL, or what `ovarnet.video.sources` calls live."""

STDIN = "-"
SOURCES_HELP = (
    'image files, folders to search for images, patterns such as "photos/**/*.jpg", URLs, or - to '
    "read a list of these from standard input, one a line"
)
LONGEST_LINE = 8192
"""Characters; what is longer is no path, but data that was piped in by mistake."""


def is_source(text: str) -> bool:
    """Whether `text` names something that is there, or a URL, or standard input."""
    from ovarnet.io.images import SUFFIXES

    return text == STDIN or is_url(text) or os.path.lexists(text) or bool(_matches(text, SUFFIXES))


def source_name(source: Source) -> str:
    """The file name of a source, without folders or address."""
    from ovarnet.video.sources import file_name

    return file_name(source)


def expand(given: Iterable[Source], suffixes: tuple[str, ...]) -> list[Source]:
    """Replace standard input by its lines, and patterns by the files that they match.

    Args:
        given: what the user wrote.
        suffixes: of the files that a pattern means where it matches others too.

    Returns:
        Addresses as text, all else as paths, in the order given. A path that exists is no pattern,
        whatever its name; one that does not exist stays, and reading it says so.

    Raises:
        InputError: a pattern without a match, or a list on standard input that is empty or no text.
    """
    sources: list[Source] = []
    for one in map(str, given):
        if one == STDIN:
            sources += _files(_lines(), suffixes)
        else:
            sources += _files([one], suffixes)
    return sources


def _files(texts: list[str], suffixes: tuple[str, ...]) -> list[Source]:
    from ovarnet.video.sources import is_live

    sources: list[Source] = []
    for text in texts:
        if is_url(text) or is_live(text):
            sources.append(text)
        elif glob.has_magic(text) and not os.path.lexists(text):
            matches = _matches(text, suffixes)
            if not matches:
                raise InputError(f"{text}: no file matches this pattern; check it")
            sources += map(Path, matches)
        else:
            sources.append(Path(text))
    return sources


def _matches(pattern: str, suffixes: tuple[str, ...]) -> list[str]:
    found = glob.glob(os.path.expanduser(pattern), recursive=True)
    files = sorted(file for file in found if os.path.isfile(file))
    return [file for file in files if file.lower().endswith(suffixes)] or files


def _lines() -> list[str]:
    """The entries on standard input, one a line, or ended by a NUL as `find -print0` writes."""
    content = sys.stdin.buffer.read() if sys.stdin else b""
    end = b"\0" if b"\0" in content else b"\n"
    # as the system's own file names: bytes that are no UTF-8 survive
    entries = [os.fsdecode(line.strip(b"\r")) for line in content.split(end) if line.strip()]
    if not entries:
        raise InputError("-: standard input is empty; write one path or URL a line")
    for entry in entries:
        if len(entry) > LONGEST_LINE or any(ord(letter) < 32 for letter in entry):
            raise InputError(
                "-: standard input is no list of images; write one path or URL a line, and give an "
                "image itself as a file"
            )
    return entries

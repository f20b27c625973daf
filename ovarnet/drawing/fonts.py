"""Which font draws which word in a picture: DejaVu, which comes with matplotlib, or else a font of
the system.
"""

from __future__ import annotations

import functools
import unicodedata
from itertools import groupby
from pathlib import Path

import numpy as np
from PIL import ImageFont

REGULAR, BOLD = "DejaVuSans.ttf", "DejaVuSans-Bold.ttf"
PROBE_SIZE = 20


@functools.lru_cache(maxsize=64)
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """A font file, or by its name a font of matplotlib (Latin, Greek, Cyrillic, Arabic and more; no
    Chinese, Japanese or Korean).
    """
    import matplotlib

    return ImageFont.truetype(
        str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size
    )  # an absolute name stays as it is


def runs(line: str, name: str, size: int) -> list[tuple[str, ImageFont.FreeTypeFont]]:
    """The line in parts, each with its font: `name` for all words that it has, fonts of the system
    for others.
    """
    words = line.split(" ")
    spaced = [(word + " ", font_of(word, name) or name) for word in words[:-1]] + [
        (words[-1], font_of(words[-1], name) or name)
    ]
    return [
        ("".join(word for word, _ in part), font(file, size))
        for file, part in groupby(spaced, key=lambda pair: pair[1])
    ]


def drawable(text: str, name: str) -> bool:
    """Some font has each word of the text."""
    return all(font_of(word, name) for word in text.split())


@functools.lru_cache(maxsize=4096)
def font_of(word: str, name: str) -> str | None:
    """The font for a word, by name or file: `name` where it has all characters, else the first of
    the system that does; None: no font.
    """
    if word.isascii() and word.isprintable():
        return name
    needed = [ord(character) for character in word if not _unseen(character)]
    if np.isin(needed, _characters(_file(name))).all():
        return name
    return next(
        (
            file
            for file in _system_fonts()
            if np.isin(needed, _characters(file)).all() and _leaves_ink(file, word)
        ),
        None,
    )


def _unseen(character: str) -> bool:
    """Joiners, direction marks and variation selectors need no glyph."""
    return unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f"


def _file(name: str) -> str:
    return font(name, PROBE_SIZE).path


@functools.lru_cache(maxsize=1)
def _system_fonts() -> list[str]:
    """Font files of the system, regular ones first. Fonts that draw every character as a box are
    left out.
    """
    from matplotlib.font_manager import findSystemFonts

    files = [file for file in findSystemFonts() if "lastresort" not in file.lower()]
    return sorted(files, key=lambda file: ("regular" not in file.lower(), file))


@functools.cache
def _characters(file: str) -> np.ndarray:
    """The code points that a font has; none of a file that cannot be read."""
    from matplotlib.ft2font import FT2Font

    try:
        return np.fromiter(FT2Font(file).get_charmap(), np.int32)
    except (OSError, RuntimeError):
        return np.zeros(0, np.int32)


def _leaves_ink(file: str, word: str) -> bool:
    """False for fonts of colour pictures, which Pillow loads at one size only or draws as
    nothing.
    """
    try:
        return font(file, PROBE_SIZE).getmask(word).getbbox() is not None
    except OSError:
        return False

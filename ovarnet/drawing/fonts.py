"""The font of each word in a picture: DejaVu, which matplotlib brings, or else a system font."""

from __future__ import annotations

import functools
import unicodedata
from itertools import groupby
from pathlib import Path

import numpy as np
from PIL import ImageFont

REGULAR, BOLD = "DejaVuSans.ttf", "DejaVuSans-Bold.ttf"
PROBE_SIZE = 20

Run = tuple[str, ImageFont.FreeTypeFont]
"""Text drawn in one font."""


@functools.lru_cache(maxsize=64)
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """A font of matplotlib by its name, or any font file by its absolute path."""
    import matplotlib

    # An absolute name replaces the folder.
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)


def runs(line: str, name: str, size: int) -> list[Run]:
    """The line in parts of one font each: `name` for the words that it has, else system fonts."""
    *words, last = line.split(" ")
    spaced = [(word + " ", font_of(word, name) or name) for word in words]
    spaced.append((last, font_of(last, name) or name))
    return [
        ("".join(word for word, _ in part), font(file, size))
        for file, part in groupby(spaced, key=lambda pair: pair[1])
    ]


def drawable(text: str, name: str) -> bool:
    """True when each word of the text has a font."""
    return all(font_of(word, name) for word in text.split())


@functools.lru_cache(maxsize=4096)
def font_of(word: str, name: str) -> str | None:
    """Name or file of the font for a word; None when no font has it.

    `name` where it has all characters, else the first system font that does.
    """
    if word.isascii() and word.isprintable():
        return name
    needed = [ord(character) for character in word if not _needs_no_glyph(character)]
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


def _needs_no_glyph(character: str) -> bool:
    """True for joiners, direction marks and variation selectors."""
    return unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f"


def _file(name: str) -> str:
    return str(font(name, PROBE_SIZE).path)


@functools.lru_cache(maxsize=1)
def _system_fonts() -> list[str]:
    """Font files of the system, regular ones first; without those that draw boxes for letters."""
    from matplotlib.font_manager import findSystemFonts

    files = [file for file in findSystemFonts() if "lastresort" not in file.lower()]
    return sorted(files, key=lambda file: ("regular" not in file.lower(), file))


@functools.cache
def _characters(file: str) -> np.ndarray:
    """The code points that a font has; none for a file that cannot be read."""
    from matplotlib.ft2font import FT2Font

    try:
        return np.fromiter(FT2Font(file).get_charmap(), np.int32)
    except (OSError, RuntimeError):
        return np.zeros(0, np.int32)


def _leaves_ink(file: str, word: str) -> bool:
    """False for bitmap colour fonts, which Pillow loads at one size only or draws as nothing."""
    try:
        return font(file, PROBE_SIZE).getmask(word).getbbox() is not None
    except OSError:
        return False

"""Fonts: DejaVu where it has the word, else a system font.

Font Awesome, which has a tree, stands for the system's.
"""

from pathlib import Path

import fontawesomefree
import pytest

from ovarnet.drawing import fonts
from ovarnet.drawing.fonts import BOLD, REGULAR, drawable, font, font_of, runs

ICONS = str(
    Path(fontawesomefree.__file__).parent
    / "static"
    / "fontawesomefree"
    / "webfonts"
    / "fa-solid-900.ttf"
)


@pytest.fixture
def system(monkeypatch, tmp_path):
    """Makes `files` the fonts of the system."""

    def only(*files):
        monkeypatch.setattr("matplotlib.font_manager.findSystemFonts", lambda: list(files))
        fonts._system_fonts.cache_clear()
        fonts.font_of.cache_clear()

    yield only
    fonts._system_fonts.cache_clear()
    fonts.font_of.cache_clear()


@pytest.mark.parametrize(
    "word", ["mug", "ярко-красный", "é", "…", "أحمر", "", "a\u200db", "☀\ufe0f"]
)
def test_dejavu_has_most_alphabets_and_needs_nothing_for_what_is_not_seen(system, word):
    system()
    assert font_of(word, BOLD) == BOLD
    assert font_of(word, REGULAR) == REGULAR


@pytest.mark.parametrize("word", ["木", "🌲", "हिन्दी", "red木", "\ud800", "\x07"])
def test_no_font(system, word):
    system()
    assert font_of(word, BOLD) is None
    assert not drawable(f"red {word}", BOLD)
    assert drawable("red mug", BOLD)


def test_a_font_of_the_system_draws_what_dejavu_lacks(system, tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    lastresort = tmp_path / "LastResort.otf"
    lastresort.symlink_to(ICONS)
    system(str(lastresort), str(tmp_path / "broken.ttf"), str(tmp_path / "missing.ttf"), ICONS)
    assert font_of("🌲", BOLD) == ICONS
    assert font_of("木", BOLD) is None
    assert font_of("mug", BOLD) == BOLD
    assert drawable("a 🌲", BOLD)
    assert not drawable("a 木", BOLD)


def test_runs_keep_every_character_in_order(system):
    system(ICONS)
    assert runs("big mug 0.83", BOLD, 20) == [("big mug 0.83", font(BOLD, 20))]
    assert runs("a green 🌲 🌲 0.83", BOLD, 20) == [
        ("a green ", font(BOLD, 20)),
        ("🌲 🌲 ", font(ICONS, 20)),
        ("0.83", font(BOLD, 20)),
    ]
    assert runs("木 0.83", BOLD, 20) == [("木 0.83", font(BOLD, 20))]
    assert runs("", BOLD, 20) == [("", font(BOLD, 20))]

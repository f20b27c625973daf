"""The words of a label."""

import random
import re

import numpy as np
from drawn_detections import detections

from ovarnet.drawing import fonts
from ovarnet.drawing.detections import draw
from ovarnet.drawing.label_text import MAX_LINES, _entry, drawable_words, summary, wrapped


def test_summary_names_the_best_words_only():
    found = detections([[0, 0, 9, 9], [0, 0, 5, 5]])
    assert summary(found) == [
        "mug 0.90: red 0.90, striped 0.60",
        "car 0.50: red 0.90, striped 0.60",
    ]
    assert summary(found, top_attributes=1) == ["mug 0.90: red 0.90", "car 0.50: red 0.90"]
    assert summary(detections([[0, 0, 9, 9]], categories=(), attributes=())) == ["object 0.90"]


def test_each_attribute_may_have_its_own_threshold():
    found = detections([[0, 0, 9, 9]])
    lowest = dict.fromkeys(found.attributes, 0.0)
    assert summary(found, 2, lowest | {"red": 0.95}) == ["mug 0.90: striped 0.60, tiny 0.20"]


def test_scores_are_never_cut():
    phrase = (
        "thing that goes on and on and still goes on some more and then goes on again until "
        "it is a hundred long"
    )
    assert wrapped([(phrase, "0.83")]) == ["thing that goes on and on", "and still goes on … 0.83"]
    assert wrapped([("a" * 200, "0.83")], "7 ") == ["7 " + "a" * 26, "a" * 17 + " … 0.83"]
    assert wrapped([("a" * 30, "0.83")]) == ["a" * 22, "a" * 8 + " 0.83"]
    assert wrapped([("red, white and blue", "0.91"), ("dotted", "0.52")]) == [
        "red, white and blue 0.91,",
        "dotted 0.52",
    ]
    assert wrapped([("very long word for a colour", "0.91")] * 9) == [
        "very long word for a",
        "colour 0.91, very long word",
        "for a colour 0.91, very long",
        "word for a colour 0.91, …",
    ]
    draws = random.Random(0)
    for _ in range(2000):
        word = " ".join("x" * draws.randint(1, 30) for _ in range(draws.randint(1, 12)))
        lines = wrapped([(word, "0.83")], draws.choice(["", "7 ", "100  "]))
        assert len(lines) <= MAX_LINES
        assert all(len(line) <= 28 for line in lines)
        assert lines[-1].endswith("0.83")
        lines = wrapped([(word, "0.83")] * draws.randint(1, 5))
        assert len(lines) <= MAX_LINES
        assert all(len(line) <= 28 for line in lines)
        assert re.search("(0.83|0.83, …|^…)$", lines[-1])
    assert _entry("mug", "0.83") == "mug\xa00.83"


def test_words_that_no_font_has_are_named_by_their_number_with_one_warning(monkeypatch, caplog):
    monkeypatch.setattr(fonts, "_system_fonts", lambda: [])
    fonts.font_of.cache_clear()
    drawable_words.cache_clear()
    categories, attributes = ("mug", "木", "🌲"), ("हिन्दी", "red")
    assert drawable_words(categories, attributes) == (
        ["mug", "category\xa02", "category\xa03"],
        ["attribute\xa01", "red"],
    )
    assert drawable_words(("mug",), ()) == (["mug"], [])
    found = detections([[100, 100, 200, 200]], categories[1:], attributes)
    other = detections([[100, 100, 200, 200]], ("category 1", "x"), ("attribute 1", "red"))
    image = np.zeros((640, 640, 3), np.uint8)
    assert (draw(image, found) == draw(image, other)).all()
    assert (draw(image, found) == draw(image, other)).all()
    assert summary(found) == ["木 0.90: हिन्दी 0.90, red 0.60"]  # the words themselves
    assert caplog.messages == [
        "no installed font can draw 木 (category 2), 🌲 (category 3), हिन्दी (attribute 1): "
        "pictures show the names in brackets; install a font for them, such as Noto",
        "no installed font can draw 木 (category 1), 🌲 (category 2), हिन्दी (attribute 1): "
        "pictures show the names in brackets; install a font for them, such as Noto",
    ]
    drawable_words(tuple("木林森火水金土"), ())
    assert (
        "木 (category 1), 林 (category 2), 森 (category 3), 火 (category 4), 水 (category 5) and 2 "
        "more: pictures" in caplog.messages[-1]
    )
    fonts.font_of.cache_clear()
    drawable_words.cache_clear()

"""Attributes as pairs of a name and a value."""

from ovarnet.data.named_values import labels_of_values
from ovarnet.io.skipped import Skipped


def test_flags_hold_or_not_and_texts_are_words_themselves():
    skipped = Skipped()
    pairs = [
        ("old", "true"),
        ("open", False),
        ("wet", 1),
        ("color", " dark red "),
        ("size", "7.5"),
        ("", "true"),
        ("note", ""),
        ("state", "__undefined__"),
        ("shape", None),
    ]
    assert labels_of_values(pairs, "box 3", skipped) == {
        "old": 1,
        "open": 0,
        "wet": 1,
        "dark red": 1,
    }
    assert skipped.items == {
        "attribute without a word": ["box 3: 'size': '7.5'", "box 3: '': 'true'"]
    }

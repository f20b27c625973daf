"""The type under which the page lists an attribute word."""

from __future__ import annotations

from ovarnet.captions.lexicon import COLORS, MATERIALS, PATTERNS, SIZES, Kind, kind_of
from ovarnet.vocabulary import NEUTRAL_PARENT, Word

MADE_OF = frozenset(["feathered", "furry", "golden", "metallic", "wooden", "woolen", "woolly"])
SHAPES = frozenset(
    ["boxy", "curved", "cylinder", "cylindrical", "flat", "oval", "rectangular", "round", "square"]
)
TYPES = {
    "color": COLORS,
    "material": MATERIALS | MADE_OF,
    "pattern": PATTERNS,
    "shape": SHAPES,
    "size": SIZES,
}
PART = "part"


def attribute_type(word: Word) -> str:
    """The parent type in the vocabulary or, where there is none, what the word means in English.

    Args:
        word: an attribute.

    Returns:
        The parent type; or one of `TYPES` by its last word; or "part" for any other noun; or
        "other".
    """
    if word.parent != NEUTRAL_PARENT:
        return word.parent
    last = word.name.lower().split()[-1]
    for name, words in TYPES.items():
        if last in words:
            return name
    return PART if kind_of(last) == Kind.NOUN.value else NEUTRAL_PARENT

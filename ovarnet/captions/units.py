"""A caption as a row of units with a letter (`lexicon.Kind`) each.

A unit is a word, or a term of the vocabulary with several words. The kind of a few words depends on
their neighbours: "that dog" and "a dog that barks".
"""

from __future__ import annotations

from typing import NamedTuple

from ovarnet.captions.inflection import is_plural
from ovarnet.captions.lexicon import MATERIALS, kind_of
from ovarnet.captions.matcher import Term

# Two words -> their kinds. After Z ("without") a thing is absent, after X ("not") a quality.
PAIRS = {
    ("other", "than"): "RZ",
    ("rather", "than"): "RZ",
    ("apart", "from"): "RZ",
    ("aside", "from"): "RZ",
    ("free", "of"): "RZ",
    ("devoid", "of"): "RZ",
    ("none", "of"): "RZ",
    ("no", "longer"): "RX",
    ("not", "only"): "RR",
    ("not", "just"): "RR",
}
SECOND_OF_PAIRS = {second for _, second in PAIRS}
ALL_OF_A_KIND = frozenset(["any", "every", "each", "all"])
ALL_THINGS = ALL_OF_A_KIND | frozenset(["anything", "everything", "anyone", "everyone"])
CONTEXTUAL = frozenset(["that", "but", "back", "'s", "’s"]) | SECOND_OF_PAIRS
CLITIC_IS_AFTER = frozenset("WO")  # "that's", "it's": a verb; "the dog's": not


class Units(NamedTuple):
    """A caption as units.

    Attributes:
        kinds: One letter per unit.
        words: The last word of each unit, lower case.
        first: The first token of each unit.
        last: The last token of each unit.
    """

    kinds: str
    words: list[str]
    first: list[int]
    last: list[int]


def as_units(words: list[str], terms: list[Term]) -> Units:
    """Group the tokens of a caption into units.

    Args:
        words: The tokens, lower case.
        terms: What the vocabulary knows of them, in order, without overlap.
    """
    kinds: list[str] = []
    first: list[int] = []
    token = 0
    for term in terms:
        kinds.extend(map(kind_of, words[token : term.start]))
        first.extend(range(token, term.start + 1))
        kinds.append(_kind_of_term(words, term))
        token = term.end
    kinds.extend(map(kind_of, words[token:]))
    first.extend(range(token, len(words)))
    last = [start - 1 for start in first[1:]] + [len(words) - 1] if words else []
    unit_words = [words[token] for token in last]
    if not CONTEXTUAL.isdisjoint(unit_words):
        _read_context(kinds, unit_words)
    return Units("".join(kinds), unit_words, first, last)


def _kind_of_term(words: list[str], term: Term) -> str:
    kind, single = kind_of(words[term.start]), term.end == term.start + 1
    if not term.attributes:
        return kind if single and kind in "sv" else "n"
    if kind == "g":
        return "E"
    if term.category:
        return "K"
    return "M" if words[term.end - 1] in MATERIALS else "A"


def _read_context(kinds: list[str], words: list[str]) -> None:
    """Correct the kinds of words that depend on their neighbours, in place."""
    for unit, word in enumerate(words):
        if word == "that":
            kinds[unit] = _kind_of_that(kinds, words, unit)
        elif word in ("'s", "’s"):
            if unit and (kinds[unit - 1] in CLITIC_IS_AFTER or words[unit - 1] == "that"):
                kinds[unit] = "B"
                if words[unit - 1] == "that":
                    kinds[unit - 1] = "W"
        elif word == "but":
            if _speaks_of_all(kinds, words, unit):
                kinds[unit] = "Z"
        elif word == "back":
            if unit and kinds[unit - 1] == "D":  # "a chair without a back", "the back seat"
                kinds[unit] = "A" if "".join(kinds[unit + 1 : unit + 2]) in tuple("nAM") else "n"
        elif unit and word in SECOND_OF_PAIRS:
            kinds[unit - 1 : unit + 1] = PAIRS.get(
                (words[unit - 1], word), kinds[unit - 1] + kinds[unit]
            )


def _kind_of_that(kinds: list[str], words: list[str], unit: int) -> str:
    """Relative before a verb or a clause ("that is"), article before a noun ("that dog")."""
    following = "".join(kinds[unit + 1 : unit + 2])
    after_plural = unit > 0 and kinds[unit - 1] in "ns" and is_plural(words[unit - 1])
    if following in tuple("BVXRsDO") or (following == "v" and after_plural):
        return "W"
    return "D"


def _speaks_of_all(kinds: list[str], words: list[str], unit: int) -> bool:
    """Whether what stands before a "but" is all of something: "anything but", "any color but"."""
    before = unit - 1
    if before >= 0 and words[before] in ALL_THINGS:
        return True
    while before >= 0 and kinds[before] in "nAMKEvs":
        before -= 1
    return 0 <= before < unit - 1 and words[before] in ALL_OF_A_KIND

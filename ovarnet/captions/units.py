"""A caption as a row of units, a letter (`lexicon.Kind`) each: a unit is a word, or a term of the
vocabulary with several words.
"""

from __future__ import annotations

from typing import NamedTuple

from ovarnet.captions.lexicon import MATERIALS, kind_of
from ovarnet.captions.matcher import Term


class Units(NamedTuple):
    """kinds: one letter per unit. words: the last word of each unit. first, last: the tokens it
    spans.
    """

    kinds: str
    words: list[str]
    first: list[int]
    last: list[int]


def as_units(words: list[str], terms: list[Term]) -> Units:
    """words: the tokens, lower case. terms: in order, without overlap."""
    kinds, first, token = [], [], 0
    for term in terms:
        kinds.extend(map(kind_of, words[token : term.start]))
        first.extend(range(token, term.start + 1))
        kinds.append(_kind_of_term(words, term))
        token = term.end
    kinds.extend(map(kind_of, words[token:]))
    first.extend(range(token, len(words)))
    last = [start - 1 for start in first[1:]] + [len(words) - 1] if words else []
    unit_words = [words[token] for token in last]
    if "that" in unit_words:
        kinds = [
            _kind_of_that(kinds, unit) if word == "that" else kinds[unit]
            for unit, word in enumerate(unit_words)
        ]
    return Units("".join(kinds), unit_words, first, last)


def _kind_of_that(kinds: list[str], unit: int) -> str:
    """Relative before a verb or a clause ("that is", "that the"), article before a noun ("that
    dog").
    """
    return "W" if "".join(kinds[unit + 1 : unit + 2]) in tuple("BVXRsDO") else "D"


def _kind_of_term(words: list[str], term: Term) -> str:
    kind, single = kind_of(words[term.start]), term.end == term.start + 1
    if not term.attributes:
        return kind if single and kind in "sv" else "n"
    if kind == "g":
        return "E"
    if term.category:
        return "K"
    return "M" if words[term.end - 1] in MATERIALS else "A"

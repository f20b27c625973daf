"""Several words of a search phrase that are one: "semi-transparent", "sky blue", "long haired".

What the vocabulary knows as a whole is a term already (`matcher`). Of what it does not know, one
word is made here, so that the grammar neither takes "semi" for a noun nor "red" from "non-red".
"""

from __future__ import annotations

import re
from typing import NamedTuple

from spacy.tokens import Doc

from ovarnet.captions.lexicon import CLOTHING_AND_PEOPLE, COLORED, COLORS, is_describing, kind_of
from ovarnet.captions.matcher import Term
from ovarnet.captions.query_words import (
    FIXED_PAIRS,
    LAST_PARTS,
    NEGATIVE_PREFIXES,
    PREFIXES,
    SHADES,
    SUFFIXES,
    UNITS,
)

HYPHENS = ("-", "–")
ADJECTIVES = frozenset("Ag")  # letters of `lexicon.Kind`
NOUN_LIKE = frozenset("nvs")
BEFORE_A_NOUN = frozenset("AMKEgnvs")


INNER_HYPHEN = re.compile(r"\w+([-–]\w+)+")  # "3-legged" is one token
MOST_SHADES = 3


class Compounds(NamedTuple):
    """The words of a phrase that are one.

    Attributes:
        terms: The terms of the phrase, those of the compounds among them, in order.
        names: (first token, token after the last) of a compound -> what it is called.
        denied: The last tokens of those that say what is not wanted ("non-red").
    """

    terms: list[Term]
    names: dict[tuple[int, int], str]
    denied: set[int]


class _Compound(NamedTuple):
    start: int
    end: int
    name: str
    describes: bool = True  # an adjective, not a noun
    denied: bool = False


def find_compounds(doc: Doc, terms: list[Term]) -> Compounds:
    """Add to the terms of a phrase the compounds that no term covers.

    Args:
        doc: The phrase, tokenised.
        terms: What the vocabulary knows of it, in order, without overlap.
    """
    words = [token.lower_ for token in doc]
    names: dict[tuple[int, int], str] = {}
    denied: set[int] = set()
    added: list[Term] = []
    known = {token: term for term in terms for token in range(term.start, term.end)}
    token = 0
    while token < len(words):
        compound = _compound_at(doc, words, token, known)
        if compound is None:
            token = _hyphenated(doc, token)
            continue
        start, end = compound.start, compound.end
        names[start, end] = compound.name
        added.append(Term(start, end, None, (compound.name,) if compound.describes else ()))
        if compound.denied:
            denied.add(end - 1)
        token = end
    covered = {token for start, end in names for token in range(start, end)}
    kept = [term for term in terms if covered.isdisjoint(range(term.start, term.end))]
    return Compounds(sorted([*kept, *added]), names, denied)


def _compound_at(
    doc: Doc, words: list[str], start: int, known: dict[int, Term]
) -> _Compound | None:
    """The compound that begins at a token, unless a term covers it."""
    end = _hyphenated(doc, start)
    is_joined = end - start > 1 or INNER_HYPHEN.fullmatch(words[start])
    found = _read_hyphenated(doc, words, start, end) if is_joined else _read_spaced(words, start)
    if found is None:
        return None
    term = known.get(found.start)
    covered = term is not None and term.start <= found.start and found.end <= term.end
    return None if covered else found


def _hyphenated(doc: Doc, start: int) -> int:
    """The token after the words that hyphens join without a space, from a token on."""
    end = start + 1
    while (
        end + 1 < len(doc)
        and doc[end].text in HYPHENS
        and doc[end - 1].text not in HYPHENS
        and doc[end + 1].text not in HYPHENS
        and not doc[end - 1].whitespace_
        and not doc[end].whitespace_
    ):
        end += 2
    return end


def _read_hyphenated(doc: Doc, words: list[str], start: int, end: int) -> _Compound | None:
    """Words joined by hyphens: an adjective, a noun, or a list of adjectives (None)."""
    parts = words[start:end:2] if end - start > 1 else re.split("[-–]", words[start])
    name = doc[start:end].text.lower()
    if parts[-1] in COLORED and len(parts) == 2 and _is_quality(parts[0]):
        return _Compound(start, end, parts[0])
    if {"and", "or"} & set(parts[1:-1]) and all(map(is_describing, parts[::2])):
        return None
    describes = _describes(parts, _noun_follows(words, end))
    return _Compound(start, end, name, describes, describes and parts[0] in NEGATIVE_PREFIXES)


def _describes(parts: list[str], noun_follows: bool) -> bool:
    """Whether words that are joined by hyphens are an adjective, not a noun such as "t-shirt"."""
    if kind_of(parts[-1]) in ADJECTIVES or parts[-1] in COLORS:
        return True
    if not noun_follows:
        return False
    if parts[0] in PREFIXES or is_describing(parts[0]) or parts[-1] in LAST_PARTS:
        return True
    letters = [len(part) == 1 and part.isalpha() for part in parts]
    kinds = map(kind_of, parts)
    return not all(kind in NOUN_LIKE or letter for kind, letter in zip(kinds, letters, strict=True))


def _read_spaced(words: list[str], start: int) -> _Compound | None:
    """Words without a hyphen that are one: "semi transparent", "sky blue", "long haired"."""
    word, following = words[start], "".join(words[start + 1 : start + 2])
    if word in SHADES and (end := _end_of_color(words, start)):
        name = " ".join(words[start:end])
        return _Compound(start, end + (words[end : end + 1] == ["colored"]), name)
    if (word, following) in FIXED_PAIRS or (word in PREFIXES and is_describing(following)):
        denied = word in NEGATIVE_PREFIXES
        return _Compound(start, start + 2, f"{word} {following}", denied=denied)
    if word.startswith("non") and is_describing(word[3:]):
        return _Compound(start, start + 1, word, denied=True)
    if following in COLORED and _is_quality(word):
        return _Compound(start, start + 2, word)
    opens = is_describing(word) or (kind_of(word) in "n#R" and word not in CLOTHING_AND_PEOPLE)
    is_suffix = following in SUFFIXES or (kind_of(word) == "#" and following in UNITS)
    if opens and is_suffix and _noun_follows(words, start + 2):
        return _Compound(start, start + 2, f"{word} {following}")
    return None


def _end_of_color(words: list[str], start: int) -> int:
    """The token after "light sky blue", which begins with a shade; 0 where it is no colour."""
    end = start
    while end < min(len(words), start + MOST_SHADES) and words[end] in SHADES:
        end += 1
    if end < len(words) and words[end] in COLORS:
        end += 1
    return end if end - start > 1 and words[end - 1] in COLORS else 0


def _is_quality(word: str) -> bool:
    """Whether a word before "-colored" or "-looking" says as much without it: "brown-colored"."""
    return word in COLORS or (is_describing(word) and word not in SHADES)


def _noun_follows(words: list[str], end: int) -> bool:
    """Whether a noun may come at a token, or adjectives before one."""
    return end < len(words) and kind_of(words[end]) in BEFORE_A_NOUN

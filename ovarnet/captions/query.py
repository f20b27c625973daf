"""A search phrase -> the category and the attributes that are looked for: "a small mug with a
striped pattern" -> mug; small, striped.

The rule-based grammar reads it, also where a trained spaCy pipeline is installed, so that a phrase
means the same on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import spacy
from spacy.tokens import Doc

from ovarnet.captions.grammar import relations_by_rules
from ovarnet.captions.inflection import singular, surface_forms
from ovarnet.captions.lexicon import (
    ANY_THING,
    ASPECTS,
    COLORS,
    MADE_OF,
    PAINTED,
    PATTERNS,
    SHADES,
    SIZES,
    TRANSITIVE,
    kind_of,
)
from ovarnet.captions.matcher import Term, TermMatcher
from ovarnet.captions.relations import Relations
from ovarnet.errors import InputError
from ovarnet.vocabulary import Vocabulary, Word

LOOKS = (
    *COLORS,
    *PATTERNS,
    *MADE_OF,
    *SIZES,
    *(f"{shade} {color}" for shade in sorted(SHADES) for color in sorted(COLORS)),
)
DESCRIBING = frozenset("AMKEg")  # letters of `lexicon.Kind`
NAMING = frozenset("nvs")
CONTENT = DESCRIBING | NAMING | {"V"}
OPENER = re.compile(r"^(an? |the )?(photo|picture|image)s? of ", re.IGNORECASE)
NO_WORDS = Vocabulary()
QUIET = ANY_THING | ASPECTS | PAINTED | {"made"}


@dataclass(frozen=True)
class Query:
    """text: the phrase, tidied, without its article. category: a noun or a compound ("coffee mug"),
    singular; None: only looks are asked. attributes: in the order of the text. unused: words of the
    phrase that nothing is scored by, such as those about another thing.

    A word that the vocabulary knows, as a name or a synonym, is spelled as there; any other word is
    as the user wrote it, in lower case.
    """

    text: str
    category: str | None
    attributes: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


def read_query(phrase: str, vocabulary: Vocabulary = NO_WORDS) -> Query:
    """What a phrase looks for, with any words, known to the vocabulary or not.

    The category is the noun of the first noun phrase, with the nouns directly before it; "thing",
    "object" and the like are none. The attributes are what the phrase says of it: adjectives,
    participles, colours, patterns and materials before it, after it ("a dog running"), after "that
    is", and before "pattern" or "colour". A phrase in which the grammar finds nothing is one
    category as a whole. InputError: no text; a phrase that says only what is not wanted ("no
    cars").
    """
    if not isinstance(phrase, str):
        raise InputError(
            f"a phrase must be a string, not {type(phrase).__name__}; give text such as 'a small "
            "red mug'"
        )
    if not any(letter.isalnum() for letter in phrase):
        raise InputError(
            f"the phrase {phrase!r} names nothing to look for; give text such as 'a small red mug'"
        )
    return _reader(vocabulary).read(OPENER.sub("", " ".join(phrase.split()), count=1))


@lru_cache(maxsize=8)
def _reader(vocabulary: Vocabulary) -> _Reader:
    return _Reader(vocabulary)


class _Reader:
    """Reads phrases for one vocabulary."""

    def __init__(self, vocabulary: Vocabulary):
        self.spelling = (
            _spelling(vocabulary.categories, with_plural=True),
            _spelling(vocabulary.attributes, with_plural=False),
        )
        categories, attributes = (dict.fromkeys(spelling.values()) for spelling in self.spelling)
        self.nlp = spacy.blank("en")
        self.matcher = TermMatcher(
            Vocabulary.of(categories, dict.fromkeys((*attributes, *LOOKS))), self.nlp
        )

    def read(self, text: str) -> Query:
        """text: one phrase without line breaks."""
        doc = self.nlp.make_doc(text)
        words = [token.lower_ for token in doc]
        terms = _with_unlisted_predicates(words, self.matcher(doc))
        relations = relations_by_rules(words, terms)
        noun, looks = _spans(words, terms, relations)
        category = (
            None
            if noun is None or words[noun[1] - 1] in ANY_THING
            else self._category(doc[slice(*noun)].text.lower())
        )
        attributes = dict.fromkeys(
            self._attribute(doc[slice(*span)].text.lower()) for span in looks
        )
        if not category and not attributes:
            return self._as_a_whole(doc, relations)
        used = {token for span in (*looks, noun or (0, 0)) for token in range(*span)}
        unused = tuple(
            word
            for token, word in enumerate(words)
            if token not in used and kind_of(word) in CONTENT and word not in QUIET
        )
        return Query(_without_article(text), category, tuple(attributes), unused)

    def _as_a_whole(self, doc: Doc, relations: Relations) -> Query:
        if relations.denied:
            raise InputError(
                f"the phrase {doc.text!r} says only what is not wanted; name what to look for"
            )
        text = _without_article(doc.text)
        return Query(text, self._category(text.lower()))

    def _category(self, text: str) -> str:
        cut = max(text.rfind(" "), text.rfind("-")) + 1
        return self.spelling[0].get(text) or text[:cut] + singular(text[cut:])

    def _attribute(self, text: str) -> str:
        return self.spelling[1].get(text, text)


def _spelling(words: Iterable[Word], with_plural: bool) -> dict[str, str]:
    """Every way to write a name or a synonym, in lower case -> the name or synonym; names come
    before synonyms.
    """
    words = list(words)
    strings = chain(
        (word.name for word in words), (string for word in words for string in word.synonyms)
    )
    found: dict[str, str] = {}
    for string in strings:
        for form in surface_forms(string, with_plural):
            found.setdefault(form, string)
    return found


def _with_unlisted_predicates(words: list[str], terms: list[Term]) -> list[Term]:
    """Words of no list that stand where an attribute stands also count as one: "a mug that is
    puce", "a dog running in the park".
    """
    kinds = [kind_of(word) for word in words]
    taken = {token for term in terms for token in range(term.start, term.end)}
    added = []
    for token, kind in enumerate(kinds):
        ends = kinds[token + 1 : token + 2] in ([], ["C"], [","], ["."], ["P"], ["W"])
        predicate = kind == "n" and token and kinds[token - 1] in "BR" and "B" in kinds[:token]
        participle = kind == "g" and words[token] not in TRANSITIVE and words[token] not in PAINTED
        if token not in taken and ends and (predicate or participle):
            added.append(Term(token, token + 1, None, (words[token],)))
    return sorted([*terms, *added])


def _spans(
    words: list[str], terms: list[Term], relations: Relations
) -> tuple[tuple[int, int] | None, list[tuple[int, int]]]:
    """The tokens of the noun that is looked for, and of each thing said of it; without a noun, of
    all that is said.
    """
    start = {term.end - 1: term.start for term in terms}
    possessors = {
        token - 1 for token, word in enumerate(words) if kind_of(word) == "S"
    }  # "a boy's hat" is a hat
    head = next(
        (head for _, head in relations.chunks if head not in relations.denied | possessors), None
    )
    said = sorted(
        token
        for token, nouns in relations.links.items()
        if token not in relations.denied and (head is None or head in nouns)
    )
    if head is None:
        return None, _joined_by_hyphen(
            words, [(start.get(token, token), token + 1) for token in said]
        )
    first, looks = start.get(head, head), {term.end - 1 for term in terms if term.attributes}
    while (before := _compound_part(words, first)) in said and before not in looks:
        first = start.get(before, before)
    return (first, head + 1), _joined_by_hyphen(
        words, [(start.get(t, t), t + 1) for t in said if not first <= t < head]
    )


def _compound_part(words: list[str], first: int) -> int:
    """The noun just before token `first`, which belongs to it: "fire" before "hydrant", "t" before
    "-shirt"; -1: there is none.
    """
    before = first - 2 if words[first - 1 : first] == ["-"] else first - 1
    return before if before >= 0 and kind_of(words[before]) in NAMING else -1


def _joined_by_hyphen(words: list[str], spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """ "long" and "haired" of "long-haired" are one attribute."""
    joined: list[tuple[int, int]] = []
    for a, b in spans:
        if joined and words[joined[-1][1] : a] == ["-"]:
            joined[-1] = joined[-1][0], b
        else:
            joined.append((a, b))
    return joined


def _without_article(text: str) -> str:
    article, _, rest = text.partition(" ")
    return rest if rest and article.lower() in ("a", "an", "the") else text

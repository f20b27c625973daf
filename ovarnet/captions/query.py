"""A search phrase -> the category and the attributes that are looked for.

"a small mug with a striped pattern" -> mug; small, striped. The rule-based grammar reads it, also
where a trained spaCy pipeline is installed, so that a phrase means the same on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from spacy.language import Language
from spacy.tokens import Doc

from ovarnet.captions.compounds import Compounds, find_compounds
from ovarnet.captions.grammar import relations_by_rules
from ovarnet.captions.inflection import singular, surface_forms
from ovarnet.captions.lexicon import ASPECTS, PAINTED, kind_of
from ovarnet.captions.matcher import Term, TermMatcher
from ovarnet.captions.pipelines import blank_english
from ovarnet.captions.query_spans import Span, add_unlisted_attributes, find_spans
from ovarnet.captions.query_words import (
    ANYTHING,
    APPEARANCE,
    AUXILIARIES,
    COLORED_THINGS,
    GROUPS,
    PLACES,
    POSITIONS,
)
from ovarnet.captions.relations import Relations
from ovarnet.errors import InputError
from ovarnet.vocabulary import Vocabulary, Word

WITH_MEANING = frozenset("AMKEgnvsV")  # letters of `lexicon.Kind`
MINUS = re.compile(r"(?:^|(?<= ))-(?=\w)")  # "dog -cat", as search engines take it
OPENER = re.compile(r"^(an? |the )?(photo|picture|image)s? of ", re.IGNORECASE)
NEGATIONS = frozenset(
    ["no", "not", "never", "nothing", "nobody", "none", "neither", "nor", "without"]
)
NO_WORDS = Vocabulary()
NOT_REPORTED = ANYTHING | ASPECTS | PAINTED | AUXILIARIES | {"made", "free"}


@dataclass(frozen=True)
class Query:
    """What a phrase looks for.

    A word that the vocabulary knows, as a name or a synonym, is spelled as there; any other word is
    as the user wrote it, in lower case.

    Attributes:
        text: What is scored as one text: the phrase without its article, or, where something is
            left out, the attributes and the category alone.
        category: A noun or a compound ("coffee mug"), singular; None where only attributes are
            queried ("something red").
        attributes: In the order of the text.
        unused: The words of the phrase that nothing is scored by: those about another thing, those
            about a place, and what is not wanted.
    """

    text: str
    category: str | None
    attributes: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


def named_query(category: str | None = None, attributes: Sequence[str] = ()) -> Query:
    """A query whose category and attributes are named, not read from a phrase.

    Args:
        category: A word or several, of any language; None: any thing.
        attributes: The same, each scored by itself; may be empty where there is a category.

    Raises:
        InputError: No category and no attributes; or attributes that are no list of strings.
    """
    if isinstance(attributes, str) or not all(isinstance(word, str) for word in attributes):
        raise InputError("attributes must be a list of strings, such as ['red', 'striped']")
    words = [" ".join(word.split()) for word in (category or "", *attributes)]
    category, named = words[0] or None, tuple(dict.fromkeys(filter(None, words[1:])))
    if not category and not named:
        raise InputError("nothing to look for; name a category, attributes, or both")
    return Query(_joined(category, named), category, named)


def read_query(phrase: str | Query, vocabulary: Vocabulary = NO_WORDS) -> Query:
    """What a phrase looks for, with any words, known to the vocabulary or not.

    The category is the noun of the first noun phrase that is wanted, with the nouns directly before
    it; "thing", "object" and the like are none, and "a pair of shoes" are shoes. The attributes are
    what the phrase says of it: adjectives, participles, colours, patterns and materials before it,
    after it ("a dog running"), after "that is", and before "pattern" or "colour". A phrase in which
    the grammar finds nothing is one category as a whole.

    Args:
        phrase: English text; spaces and line breaks do not matter. A `Query` keeps its words, in
            the vocabulary's spelling.
        vocabulary: Words to recognise beside those of everyday English.

    Raises:
        InputError: No text; or a phrase that says only what is not wanted ("no cars") or where
            something is ("the second one").
    """
    reader = _reader(vocabulary)
    return reader.spelled(phrase) if isinstance(phrase, Query) else reader.read(phrase)


@lru_cache(maxsize=8)
def _reader(vocabulary: Vocabulary) -> QueryReader:
    return QueryReader(vocabulary)


class QueryReader:
    """Reads phrases for one vocabulary.

    Args:
        vocabulary: Words to recognise beside those of everyday English.
        nlp: Tokenises the phrases; by default a blank English pipeline.
    """

    def __init__(self, vocabulary: Vocabulary = NO_WORDS, nlp: Language | None = None):
        self.spelling = (
            _spelling(vocabulary.categories, with_plural=True),
            _spelling(vocabulary.attributes, with_plural=False),
        )
        categories, attributes = (dict.fromkeys(spelling.values()) for spelling in self.spelling)
        self.nlp = nlp or blank_english()
        words = Vocabulary.of(
            dict.fromkeys((*categories, *sorted(COLORED_THINGS))),
            dict.fromkeys((*attributes, *sorted(APPEARANCE))),
        )
        self.matcher = TermMatcher(words, self.nlp)

    def read(self, phrase: str) -> Query:
        """As `read_query`."""
        if not isinstance(phrase, str):
            raise InputError(
                f"a phrase must be a string, not {type(phrase).__name__}; give text such as 'a "
                "small red mug'"
            )
        if not any(letter.isalnum() for letter in phrase):
            raise InputError(
                f"the phrase {phrase!r} names nothing to look for; give text such as 'a small red "
                "mug'"
            )
        text = MINUS.sub("without ", " ".join(phrase.split()))
        return self._read_doc(self.nlp(OPENER.sub("", text, count=1)), phrase)

    def _read_doc(self, doc: Doc, phrase: str) -> Query:
        words = [token.lower_ for token in doc]
        compounds = find_compounds(doc, self.matcher(doc))
        terms = self.add_unlisted(doc, compounds.terms)
        relations = self.relations(doc, terms)
        relations.denied |= compounds.denied
        noun, described_by = find_spans(words, terms, relations)

        category = None
        if noun is not None and words[noun[1] - 1] not in ANYTHING:
            text = doc[slice(*noun)].text.lower()
            category = self._spell_category(text)
        named = {span: self._name(doc, span, compounds) for span in described_by}
        scored = {span: name for span, name in named.items() if self._is_scored(name)}
        attributes = tuple(dict.fromkeys(scored.values()))
        unused = _unused(words, compounds, {*scored, *([noun] if noun else [])})
        if not category and not attributes:
            self._check_wanted(doc, relations, unused, phrase)
            whole = _without_article(doc.text)
            return Query(whole, self._spell_category(whole.lower()))

        # what is not wanted, or of another thing, shall not count through the text
        text = _joined(category, attributes) if unused else _without_article(doc.text)
        return Query(text, category, attributes, unused)

    def spelled(self, query: Query) -> Query:
        """The query with the words that the vocabulary knows spelled as there."""
        category, attributes = query.category, query.attributes
        if category is not None:
            category = self.spelling[0].get(category.lower(), category)
        spelled = (self.spelling[1].get(word.lower(), word) for word in attributes)
        attributes = tuple(dict.fromkeys(spelled))
        is_list = query.text == _joined(query.category, query.attributes)
        text = _joined(category, attributes) if is_list else query.text
        return Query(text, category, attributes, query.unused)

    def add_unlisted(self, doc: Doc, terms: list[Term]) -> list[Term]:
        """The terms, and attributes that no list holds."""
        return add_unlisted_attributes([token.lower_ for token in doc], terms)

    def relations(self, doc: Doc, terms: list[Term]) -> Relations:
        """Who modifies whom in the phrase."""
        return relations_by_rules([token.lower_ for token in doc], terms)

    def _name(self, doc: Doc, span: Span, compounds: Compounds) -> str:
        text = compounds.names.get(span) or doc[slice(*span)].text.lower()
        return self._spell_attribute(text)

    def _is_scored(self, attribute: str) -> bool:
        """Whether a region can show an attribute; a vocabulary that lists it says so."""
        return attribute in self.spelling[1].values() or not _is_place(attribute)

    def _check_wanted(
        self, doc: Doc, relations: Relations, unused: tuple[str, ...], phrase: str
    ) -> None:
        """InputError: a phrase in which nothing to score was found says what cannot be scored."""
        if relations.denied or not NEGATIONS.isdisjoint(token.lower_ for token in doc):
            raise InputError(
                f"the phrase {phrase!r} says only what is not wanted; name what to look for"
            )
        if unused and all(map(_is_place, unused)):
            raise InputError(
                f"the phrase {phrase!r} says only where something is, which a box does not show; "
                "name what to look for"
            )

    def _spell_category(self, text: str) -> str:
        cut = max(text.rfind(" "), text.rfind("-")) + 1
        return self.spelling[0].get(text) or text[:cut] + singular(text[cut:])

    def _spell_attribute(self, text: str) -> str:
        return self.spelling[1].get(text, text)


def _is_place(text: str) -> bool:
    """Whether a word says where something is among others or in the image: "left", "top-left"."""
    parts = set(re.split("[- ]", text))
    return parts <= PLACES and not parts.isdisjoint(POSITIONS)


def _unused(words: list[str], compounds: Compounds, used: set[Span]) -> tuple[str, ...]:
    """The words with a meaning, compounds whole, that no span of the query covers."""
    covered = {token for span in used for token in range(*span)}
    names = {start: (end, name) for (start, end), name in compounds.names.items()}
    unused, token = [], 0
    while token < len(words):
        end, name = names.get(token, (token + 1, words[token]))
        has_meaning = token in names or kind_of(name) in WITH_MEANING or name in POSITIONS
        is_group = name in GROUPS and words[end : end + 1] == ["of"]
        if token not in covered and has_meaning and name not in NOT_REPORTED and not is_group:
            unused.append(name)
        token = end
    return tuple(unused)


def _spelling(words: Iterable[Word], with_plural: bool) -> dict[str, str]:
    """Every way to write a name or a synonym, in lower case -> the name or synonym.

    Names come before synonyms.
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


def _joined(category: str | None, attributes: Iterable[str]) -> str:
    return " ".join((*attributes, *([category] if category else [])))


def _without_article(text: str) -> str:
    article, _, rest = text.partition(" ")
    return rest if rest and article.lower() in ("a", "an", "the") else text

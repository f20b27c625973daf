"""CaptionParser: sentence -> categories, attributes with the nouns they belong to, noun phrases.

With a trained English spaCy pipeline its lemmas, noun chunks and dependencies are used
(`dependencies`); without one, a small grammar (`grammar`). Vocabulary, matching and the record are
the same for both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn

from spacy.language import Language
from spacy.tokens import Doc, Token

from ovarnet.captions.dependencies import noun_lemma
from ovarnet.captions.inflection import singular
from ovarnet.captions.lexicon import COLORED, POSSESSED
from ovarnet.captions.matcher import Term, TermMatcher
from ovarnet.captions.pipelines import RULES, load_pipeline, name_of, read_relations
from ovarnet.captions.record import Pair, ParsedCaption
from ovarnet.captions.relations import Relations
from ovarnet.errors import InputError
from ovarnet.vocabulary import Vocabulary

LONGEST_CAPTION = 2_000
"""Characters that are read of one caption; no real caption is longer, and time stays bounded."""

# "non-red" and "off-white" are not what follows the hyphen.
UNLIKE = [[prefix, "-"] for prefix in ("non", "not", "never", "off")]

_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\u2060\ufeff]+")


class CaptionParser:
    """Reads captions for the words of a vocabulary.

    Args:
        vocabulary: The words to find; synonyms, plurals and both English spellings of them are
            found too.
        pipeline: "rules", the name of an installed spaCy pipeline, a spaCy Language with a parser,
            or None: an installed English pipeline, else "rules" (`pipelines.load_pipeline`).

    Attributes:
        pipeline: The name of the pipeline that reads.

    Raises:
        InputError: A pipeline that is not installed or does not parse.
    """

    def __init__(self, vocabulary: Vocabulary, pipeline: str | Language | None = None):
        self.vocabulary = vocabulary
        self.nlp = load_pipeline(pipeline)
        self.pipeline = name_of(self.nlp)
        self._matcher = TermMatcher(vocabulary, self.nlp)

    def parse(self, text: str) -> ParsedCaption:
        """Read one caption; without any known word the record's lists are empty.

        Raises:
            InputError: The text is no string.
        """
        return next(self.parse_many([text]))

    def parse_many(self, texts: Iterable[str], batch_size: int = 256) -> Iterator[ParsedCaption]:
        """Read many captions, lazily, in order; `batch_size` of them go through the pipeline."""
        texts = (text if isinstance(text, str) else _refuse(text) for text in texts)
        cleaned = (_UNPRINTABLE.sub(" ", text[:LONGEST_CAPTION]).strip() for text in texts)
        docs = (
            map(self.nlp.make_doc, cleaned)
            if self.pipeline == RULES
            else self.nlp.pipe(cleaned, batch_size=batch_size)
        )
        return map(self.parse_doc, docs)

    def parse_doc(self, doc: Doc) -> ParsedCaption:
        """Record what a document says, by its dependencies if it carries any, else by the rules."""
        words, terms = [token.lower_ for token in doc], self._matcher(doc)
        lemma = noun_lemma if doc.has_annotation("DEP") else _singular
        return _record(doc, words, terms, read_relations(doc, terms), lemma)


def _singular(token: Token) -> str:
    return singular(token.lower_)


def _refuse(text: object) -> NoReturn:
    raise InputError(f"a caption must be a string, not {type(text).__name__}; give text")


def _record(
    doc: Doc,
    words: list[str],
    terms: list[Term],
    relations: Relations,
    lemma: Callable[[Token], str],
) -> ParsedCaption:
    """Bring terms and relations together."""
    meant = {token: term for term in terms for token in range(term.start, term.end)}
    categories: dict[str, None] = {}
    attributes: dict[str, None] = {}
    pairs: dict[Pair, None] = {}
    for term in terms:
        tokens = range(term.start, term.end)
        if not relations.denied.isdisjoint(tokens):
            continue
        if term.attributes:
            described = _described(doc, words, meant, term, relations, lemma)
            for noun, category in described or ():
                pairs.update((Pair(name, noun, category), None) for name in term.attributes)
            if described or (described is not None and term.end - 1 not in relations.heads):
                attributes.update(dict.fromkeys(term.attributes))
        if term.category and term.end - 1 in relations.heads:
            categories[term.category] = None
    phrases = {
        doc[start : head + 1].text.lower(): None
        for start, head in relations.chunks
        if head not in relations.denied
    }
    return ParsedCaption(
        doc.text, tuple(categories), tuple(attributes), tuple(pairs), tuple(phrases)
    )


def _described(
    doc: Doc,
    words: list[str],
    meant: dict[int, Term],
    term: Term,
    relations: Relations,
    lemma: Callable[[Token], str],
) -> list[tuple[str, str | None]] | None:
    """(noun, category or None) of all that an attribute is said of.

    None where the word is no attribute of anything, such as "red" of "non-red".
    """
    last = term.end - 1
    after = words[term.end : term.end + 2]
    hyphen = after[:1] in (["-"], ["–"])
    following = after[1 if hyphen else 0 :][:1]
    if words[max(term.start - 2, 0) : term.start] in UNLIKE:
        return None
    if following and following[0] in POSSESSED and (hyphen or following[0] != "sleeve"):
        return [(POSSESSED[following[0]], None)]
    if hyphen and following and following[0] not in COLORED and following[0] != "and":
        second = meant.get(term.end + 1)
        if second is None or not second.attributes:
            return None
    nouns = next(
        (
            found
            for token in range(last, term.start - 1, -1)
            if (found := relations.links.get(token))
        ),
        [],
    )
    nouns = [noun for noun in nouns if not term.start <= noun < term.end]
    present = [noun for noun in nouns if noun not in relations.denied]
    if nouns and not present:
        return None
    return [_noun(doc, meant.get(noun), noun, lemma) for noun in present]


def _noun(
    doc: Doc, term: Term | None, token: int, lemma: Callable[[Token], str]
) -> tuple[str, str | None]:
    if term is None or term.end - 1 != token or not term.category:
        return lemma(doc[token]), None
    return (doc[term.start : token].text_with_ws.lower() + lemma(doc[token])), term.category

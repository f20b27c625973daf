"""Finds the words of a vocabulary in a sentence.

spaCy's PhraseMatcher over all surface forms, longest match first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc

from ovarnet.captions.inflection import surface_forms
from ovarnet.captions.synonyms import CATEGORY_SYNONYMS, FIXED_EXPRESSIONS
from ovarnet.vocabulary import Vocabulary


class Term(NamedTuple):
    """Tokens that are one unit of meaning.

    A fixed expression ("dirt bike" without such a category) has neither category nor attributes.

    Attributes:
        start: The first token.
        end: The token after the last.
        category: Its name in the vocabulary, or None.
        attributes: Their names; several where the vocabulary gives one string to several words.
    """

    start: int
    end: int
    category: str | None
    attributes: tuple[str, ...]


class Meaning:
    """What one surface form stands for."""

    def __init__(self):
        self.category: str | None = None
        self.attributes: tuple[str, ...] = ()


class TermMatcher:
    """Finds the terms of a document: the longest wins, "hot dog" over "hot" and "dog".

    Args:
        vocabulary: The words; their synonyms, plurals and spellings are found too.
        nlp: Its tokeniser, which must be that of the documents.
    """

    def __init__(self, vocabulary: Vocabulary, nlp: Language):
        self.meanings: dict[str, Meaning] = {}
        self._add_categories(vocabulary)
        for word in vocabulary.attributes:
            for text in (word.name, *word.synonyms):
                for form in surface_forms(text, with_plural=False):
                    meaning = self.meanings.setdefault(form, Meaning())
                    meaning.attributes = tuple(dict.fromkeys((*meaning.attributes, word.name)))
        for text in FIXED_EXPRESSIONS.split():
            for form in surface_forms(text, with_plural=True):
                self.meanings.setdefault(form, Meaning())
        self._matcher, self._by_key = PhraseMatcher(nlp.vocab, attr="LOWER"), {}
        for number, (form, meaning) in enumerate(self.meanings.items()):
            key = f"ovarnet {number}"
            self._matcher.add(key, [nlp.make_doc(form)])
            self._by_key[nlp.vocab.strings[key]] = meaning

    def _add_categories(self, vocabulary: Vocabulary) -> None:
        """Names first, then the vocabulary's synonyms, then the general ones.

        What comes first keeps the form.
        """
        general = {
            name: [text.replace("_", " ") for text in words.split()]
            for name, words in CATEGORY_SYNONYMS.items()
        }
        rounds: list[list[tuple[str, Iterable[str]]]] = [
            [(word.name, [word.name]) for word in vocabulary.categories],
            [(word.name, word.synonyms) for word in vocabulary.categories],
            [(word.name, general.get(word.name.lower(), ())) for word in vocabulary.categories],
        ]
        for entries in rounds:
            for name, texts in entries:
                for form in (
                    form for text in texts for form in surface_forms(text, with_plural=True)
                ):
                    meaning = self.meanings.setdefault(form, Meaning())
                    meaning.category = meaning.category or name

    def __call__(self, doc: Doc) -> list[Term]:
        """The terms of a document, in order and without overlap."""
        found = self._matcher(doc)
        if len(found) > 1:
            found.sort(key=lambda match: (match[1] - match[2], match[1]))
        taken: set[int] = set()
        terms: list[Term] = []
        for key, start, end in found:
            if start not in taken and end - 1 not in taken:
                taken.update(range(start, end))
                meaning = self._by_key[key]
                terms.append(Term(start, end, meaning.category, meaning.attributes))
        terms.sort()
        return terms

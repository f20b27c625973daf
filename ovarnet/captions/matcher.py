"""Finds the words of a vocabulary in a sentence: spaCy's PhraseMatcher over all surface forms,
longest match first.
"""

from __future__ import annotations

from typing import NamedTuple

from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc

from ovarnet.captions.inflection import surface_forms
from ovarnet.captions.synonyms import CATEGORY_SYNONYMS, FIXED_EXPRESSIONS
from ovarnet.vocabulary import Vocabulary


class Term(NamedTuple):
    """A stretch of tokens start..end-1 that is one unit of meaning. category: name or None.
    attributes: names (several where the vocabulary gives one string to several words). A fixed
    expression ("dirt bike" without such a category) has neither.
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
    """Terms of a document, in order and without overlap: the longest wins, "hot dog" over "hot" and
    "dog".
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
        """Names first, then the vocabulary's synonyms, then the general ones: what comes first
        keeps the form.
        """
        general = {
            name: [text.replace("_", " ") for text in words.split()]
            for name, words in CATEGORY_SYNONYMS.items()
        }
        rounds = (
            [(word.name, [word.name]) for word in vocabulary.categories],
            [(word.name, word.synonyms) for word in vocabulary.categories],
            [(word.name, general.get(word.name.lower(), ())) for word in vocabulary.categories],
        )
        for entries in rounds:
            for name, texts in entries:
                for form in (
                    form for text in texts for form in surface_forms(text, with_plural=True)
                ):
                    meaning = self.meanings.setdefault(form, Meaning())
                    meaning.category = meaning.category or name

    def __call__(self, doc: Doc) -> list[Term]:
        found = self._matcher(doc)
        if len(found) > 1:
            found.sort(key=lambda match: (match[1] - match[2], match[1]))
        taken, terms = set(), []
        for key, start, end in found:
            if start not in taken and end - 1 not in taken:
                taken.update(range(start, end))
                meaning = self._by_key[key]
                terms.append(Term(start, end, meaning.category, meaning.attributes))
        terms.sort()
        return terms

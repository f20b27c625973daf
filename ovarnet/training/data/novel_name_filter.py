"""Keeps objects of novel categories out of attribute data.

VAW and LSA name their objects freely, so a box of a "kitten" with the label "furry" would show the
novel category cat in training. The rule is by words alone, and strict: a box is left out when its
name, singular or plural, is a novel or ignored category or a word for one, or ends with such a
word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from ovarnet.captions.inflection import surface_forms
from ovarnet.captions.synonyms import CATEGORY_SYNONYMS
from ovarnet.vocabulary import Vocabulary

_LATER = re.compile(r"\b(?:in|on|at|with|from|by|under|behind|near)\b.*")
"""What follows is about another object: a "man with a dog" is a man."""
_JOINTS = re.compile(r"\b(?:of|and|or)\b")
"""Both sides are in the box: "piece of cake", "cup of tea", "cats and dogs"."""


class NovelNameFilter:
    """Called with the name of an object, returns the novel or ignored category it is one of.

    Words for a category are its name, its synonyms in the vocabulary, and the everyday words of
    `captions.synonyms`; the longest ending that is a known word decides. With COCO's 48 base and 17
    novel categories, "cats", "black cat", "kitten" and "coffee cup" are novel, "cat food" and
    "hot dog" are not. A word of the vocabulary takes precedence over a general synonym: where mug
    is a base category, a mug is no cup.

    Args:
        vocabulary: Its novel categories are filtered.
        ignored: Categories that the detection data knows and leaves out of the vocabulary
            (`data.datasets.ignored_categories`); filtered too.
    """

    def __init__(self, vocabulary: Vocabulary, ignored: Iterable[str] = ()):
        no_synonyms: dict[str, tuple[str, ...]] = dict.fromkeys(ignored, ())
        own = {word.name: word.synonyms for word in vocabulary.categories} | no_synonyms
        general = {
            name: tuple(text.replace("_", " ") for text in words.split())
            for name, words in CATEGORY_SYNONYMS.items()
        }

        # the first meaning of a form counts: names before synonyms, the vocabulary's own first
        meanings: dict[str, str] = {}
        for words_of in (_names(own), own, _names(general), general):
            for name, words in words_of.items():
                for word in words:
                    for form in surface_forms(word, with_plural=True):
                        meanings.setdefault(" ".join(form.replace("-", " ").split()), name)

        novel = {word.name for word in vocabulary.categories if not word.seen} | no_synonyms.keys()
        self.meanings = {form: name if name in novel else None for form, name in meanings.items()}
        self.meaning = lru_cache(maxsize=100_000)(self._meaning)

    def __call__(self, name: str) -> str | None:
        """The novel or ignored category that an object of this name is one of; None: no such."""
        return self.meaning(name)

    def _meaning(self, name: str) -> str | None:
        text = " ".join(name.casefold().replace("_", " ").replace("-", " ").split())
        parts = _JOINTS.split(_LATER.sub("", text))
        return next(filter(None, (self._of_part(part.split()) for part in parts)), None)

    def _of_part(self, words: list[str]) -> str | None:
        endings = (" ".join(words[start:]) for start in range(len(words)))
        return next((self.meanings[ending] for ending in endings if ending in self.meanings), None)


def _names(words_of: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Every category as a word for itself."""
    return {name: (name,) for name in words_of}

"""Which objects of attribute data are of a category that the run holds as novel, or ignores:
training must not see their boxes either.

VAW and LSA name their objects freely, so a box of a "kitten" with a label "furry" would show the
novel category cat with a box in training. The rule is by words alone, on the safe side: such a box
is left out when its name, in the singular or the plural, is the novel category or a word for it, or
ends with one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from ovarnet.captions.inflection import surface_forms
from ovarnet.captions.synonyms import CATEGORY_SYNONYMS
from ovarnet.vocabulary import Vocabulary

_LATER = re.compile(r"\b(?:in|on|at|with|from|by|under|behind|near)\b.*")
"""What follows is about another thing: a "man with a dog" is a man."""
_PARTS = re.compile(r"\b(?:of|and|or)\b")
"""Both sides are what is in the box: "piece of cake", "cup of tea", "cats and dogs"."""


class NovelNameFilter:
    """Called with the name of an object: the novel or ignored category that it means, or None.

    Words for a category are its name, its synonyms in the vocabulary, and the everyday words of
    `captions.synonyms`; the longest ending that is a known word decides. So with COCO's 48/17 words
    "cats", "black cat", "kitten" and "coffee cup" are novel, "cat food" and "hot dog" are not. A
    word of the vocabulary's own goes before a general synonym: where mug is a base category, a mug
    is no cup.
    """

    def __init__(self, vocabulary: Vocabulary, ignored: Iterable[str] = ()):
        """ignored: categories that the detection data knows and leaves out of the vocabulary
        (`data.datasets.ignored_categories`).
        """
        ignored = dict.fromkeys(ignored, ())
        novel = {word.name for word in vocabulary.categories if not word.seen} | ignored.keys()
        general = {
            name: [text.replace("_", " ") for text in words.split()]
            for name, words in CATEGORY_SYNONYMS.items()
        }
        meanings: dict[str, str] = {}
        own = {word.name: word.synonyms for word in vocabulary.categories} | ignored
        for texts in (
            {name: [name] for name in own},
            own,
            {name: [name] for name in general},
            general,
        ):
            for name, words in texts.items():
                for form in (
                    form for word in words for form in surface_forms(word, with_plural=True)
                ):
                    meanings.setdefault(" ".join(form.replace("-", " ").split()), name)
        self.meanings = {form: name if name in novel else None for form, name in meanings.items()}
        self.meaning = lru_cache(maxsize=100_000)(self._meaning)

    def __call__(self, name: str) -> str | None:
        return self.meaning(name)

    def _meaning(self, name: str) -> str | None:
        text = _LATER.sub("", " ".join(name.casefold().replace("_", " ").replace("-", " ").split()))
        return next(
            filter(None, (self._of_part(part.split()) for part in _PARTS.split(text))), None
        )

    def _of_part(self, words: list[str]) -> str | None:
        endings = (" ".join(words[start:]) for start in range(len(words)))
        return next((self.meanings[ending] for ending in endings if ending in self.meanings), None)

"""What the parser says about one caption, or about all captions of an image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import chain
from typing import NamedTuple


class Pair(NamedTuple):
    """An attribute and what has it.

    Attributes:
        attribute: Its name in the vocabulary.
        noun: Singular, lower case; need not be in the vocabulary.
        category: The name of the vocabulary's category that the noun means, or None.
    """

    attribute: str
    noun: str
    category: str | None = None


@dataclass(frozen=True)
class ParsedCaption:
    """What one caption, or several of one image, say.

    Each tuple holds each thing once, in the order of its first mention; any may be empty.

    Attributes:
        text: The caption; of several, one per line.
        categories: Names of the vocabulary's categories that the text affirms.
        attributes: The same of attributes; one may stand without a noun ("a girl in pink").
        pairs: Attributes with their nouns.
        phrases: Noun phrases, lower case, without article.
    """

    text: str
    categories: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    phrases: tuple[str, ...] = ()

    @property
    def known_words(self) -> bool:
        """Whether the text mentions any word of the vocabulary."""
        return bool(self.categories or self.attributes)

    @classmethod
    def joined(cls, parts: Iterable[ParsedCaption]) -> ParsedCaption:
        """The captions of one image as one record."""
        parts = list(parts)
        return cls(
            "\n".join(part.text for part in parts),
            *(
                tuple(dict.fromkeys(chain.from_iterable(getattr(part, field) for part in parts)))
                for field in ("categories", "attributes", "pairs", "phrases")
            ),
        )

    def to_json(self) -> dict:
        """Lists and strings only."""
        return {
            **asdict(self),
            "categories": list(self.categories),
            "attributes": list(self.attributes),
            "pairs": [pair._asdict() for pair in self.pairs],
            "phrases": list(self.phrases),
        }

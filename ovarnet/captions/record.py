"""What the parser says about one caption, or about all captions of an image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import chain
from typing import NamedTuple


class Pair(NamedTuple):
    """An attribute and what has it. attribute: name in the vocabulary. noun: singular, lower case,
    need not be in the vocabulary. category: name of the vocabulary category that the noun means, or
    None.
    """

    attribute: str
    noun: str
    category: str | None = None


@dataclass(frozen=True)
class ParsedCaption:
    """Each tuple holds each thing once, in the order of its first mention; any may be empty.

    text: the caption; of several, one per line. categories, attributes: names of the vocabulary
    that the text affirms; an attribute may stand without a noun ("a girl in pink"). pairs:
    attributes with their nouns. phrases: noun phrases, lower case, without article.
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

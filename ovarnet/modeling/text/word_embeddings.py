"""Encoded words, as values that are computed once and passed around.

W words, S strings (a word with synonyms has several), D width of the joint space.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ovarnet.vocabulary import KINDS, Kind, Vocabulary, Word


@dataclass(frozen=True)
class WordEmbeddings:
    """Text embeddings of W words of one kind.

    Args:
        matrix: (S, D) float32, one row per string, L2-normalised and then, for categories of a
            photo CLIP, divided by what the word can reach (`concept_reach`). S may be 0.
        owner: (S,) int64, ascending: the word of each row.
        length: W, may be 0.
        kind: "category" or "attribute".
        names: of the W words; needed by a linear probe only.
        neutral: (1, D) unit embedding of texts that name nothing; needed by an uncalibrated
            classifier only.
    """

    matrix: Tensor
    owner: Tensor
    length: int
    kind: Kind
    names: tuple[str, ...] = ()
    neutral: Tensor | None = None

    def __len__(self) -> int:
        return self.length

    @property
    def has_synonyms(self) -> bool:
        """Whether some word has several rows."""
        return len(self.owner) != self.length

    def to(self, device: str | torch.device) -> WordEmbeddings:
        """The same embeddings on `device`."""
        return replace(
            self,
            matrix=self.matrix.to(device),
            owner=self.owner.to(device),
            neutral=None if self.neutral is None else self.neutral.to(device),
        )

    def select(self, words: Sequence[int]) -> WordEmbeddings:
        """The embeddings of some of the words.

        Args:
            words: their positions, in the order wanted.
        """
        counts = torch.bincount(self.owner, minlength=self.length)
        first = (counts.cumsum(0) - counts).tolist()
        rows = [
            row for word in words for row in range(first[word], first[word] + int(counts[word]))
        ]
        owner = [new for new, word in enumerate(words) for _ in range(int(counts[word]))]
        return replace(
            self,
            matrix=self.matrix[rows],
            owner=torch.tensor(owner, dtype=torch.long, device=self.owner.device),
            length=len(words),
            names=tuple(self.names[word] for word in words) if self.names else (),
        )


def joined(parts: Sequence[WordEmbeddings]) -> WordEmbeddings:
    """The words of all parts, one after the other.

    Args:
        parts: at least one, all of the same kind and encoded by the same model.
    """
    starts = [sum(map(len, parts[:number])) for number in range(len(parts))]
    return replace(
        parts[0],
        matrix=torch.cat([part.matrix for part in parts]),
        owner=torch.cat([part.owner + start for part, start in zip(parts, starts, strict=True)]),
        length=sum(map(len, parts)),
        names=tuple(name for part in parts for name in part.names),
    )


@dataclass(frozen=True)
class EncodedVocabulary:
    """A vocabulary and the embeddings of its words: encoded once, scored against any image.

    `TextClassifier.encode_vocabulary` makes it. It belongs to the weights it was made with.

    Args:
        words: what was encoded, C categories and A attributes.
        categories: embeddings of the C category words.
        attributes: embeddings of the A attribute words.
    """

    words: Vocabulary
    categories: WordEmbeddings
    attributes: WordEmbeddings

    def to(self, device: str | torch.device) -> EncodedVocabulary:
        """The same vocabulary on `device`."""
        return replace(
            self, categories=self.categories.to(device), attributes=self.attributes.to(device)
        )

    def merge(self, other: EncodedVocabulary) -> EncodedVocabulary:
        """The words of both: those of `self`, then those of `other` with other names.

        Args:
            other: encoded by the same model.
        """
        new = [_new_words(self.words.of_kind(kind), other.words.of_kind(kind)) for kind in KINDS]
        return EncodedVocabulary(
            Vocabulary(
                (*self.words.categories, *(other.words.categories[i] for i in new[0])),
                (*self.words.attributes, *(other.words.attributes[i] for i in new[1])),
            ),
            joined([self.categories, other.categories.select(new[0])]),
            joined([self.attributes, other.attributes.select(new[1])]),
        )


def _new_words(mine: Sequence[Word], theirs: Sequence[Word]) -> list[int]:
    """Positions of their words that have other names than mine."""
    names = {word.name.strip() for word in mine}
    return [index for index, word in enumerate(theirs) if word.name.strip() not in names]

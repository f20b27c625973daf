"""Encoded words, as values that are computed once and passed around.

W words, S strings (a word with synonyms has several), D width of the joint space.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ovarnet.vocabulary import Kind, Vocabulary


@dataclass(frozen=True)
class WordEmbeddings:
    """Text embeddings of W words of one kind.

    Args:
        matrix: (S, D) float32, L2-normalised, one row per string. S may be 0.
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

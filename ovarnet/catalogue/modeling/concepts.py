"""Concepts of a catalogue: label values and frequent phrases of titles, and queues of features.

N products, C concepts, M features kept of each concept, K texts in the bank, D the joint embedding
width.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ovarnet.catalogue.data.split import same_title
from ovarnet.catalogue.product import Product

LONGEST = 3
"""Words of a phrase."""
FEWEST, MOST_SHARE = 5, 0.2
"""Titles that mention a concept: at least, and at most as a share of all."""
MOST_CONCEPTS = 4096
STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "as",
        "at",
        "by",
        "for",
        "from",
        "in",
        "is",
        "it",
        "new",
        "of",
        "on",
        "or",
        "the",
        "this",
        "to",
        "with",
    ]
)
KEPT = 16
"""M."""
ENOUGH = 2
"""Features from which a prototype is made."""


def title_words(title: str) -> list[str]:
    """Lower-case words and numbers of a title."""
    return re.findall(r"\w+", same_title(title))


def phrases(title: str) -> set[str]:
    """Word sequences of 1 to `LONGEST` words, without stop words and digits."""
    words = title_words(title)
    found = set()
    for first in range(len(words)):
        for last in range(first + 1, min(first + LONGEST, len(words)) + 1):
            part = words[first:last]
            if not any(word in STOP_WORDS or word.isdigit() for word in part):
                found.add(" ".join(part))
    return found


def concept_vocabulary(products: Sequence[Product]) -> list[str]:
    """Concepts of training products, the most frequent first.

    A concept is a phrase of titles or the value of a label; at least `FEWEST` products and at most
    `MOST_SHARE` of them mention it.
    """
    counts = Counter(name for product in products for name in _candidates(product))
    most = MOST_SHARE * len(products)
    kept = [name for name, count in counts.items() if FEWEST <= count <= most]
    return sorted(kept, key=lambda name: (-counts[name], name))[:MOST_CONCEPTS]


def mentions(products: Sequence[Product], concepts: Sequence[str]) -> Tensor:
    """Which concepts each product mentions: (N, C) bool."""
    columns = {name: column for column, name in enumerate(concepts)}
    table = torch.zeros(len(products), len(concepts), dtype=torch.bool)
    for row, product in enumerate(products):
        found = [columns[name] for name in _candidates(product) if name in columns]
        table[row, found] = True
    return table


def _candidates(product: Product) -> set[str]:
    labels = {same_title(value) for value in product.all_labels.values()}
    return phrases(product.title) | labels


class PrototypeQueues(nn.Module):
    """The last M features of each concept, of one modality. Buffers, so that they are saved.

    Args:
        concepts: C.
        width: D.
    """

    features: Tensor
    counts: Tensor

    def __init__(self, concepts: int, width: int):
        super().__init__()
        self.register_buffer("features", torch.zeros(concepts, KEPT, width))
        self.register_buffer("counts", torch.zeros(concepts, dtype=torch.int64))

    @property
    def usable(self) -> Tensor:
        """(C,) bool: concepts with enough features."""
        return self.counts >= ENOUGH

    def prototypes(self) -> Tensor:
        """(C, D) unit means; zeros of concepts without features."""
        return F.normalize(self.features.sum(dim=1), dim=-1)

    @torch.no_grad()
    def enqueue(self, vectors: Tensor, mentioned: Tensor) -> None:
        """Add a batch, first in first out.

        Args:
            vectors: (N, D) unit vectors.
            mentioned: (N, C) bool.
        """
        concepts, rows = mentioned.T.nonzero(as_tuple=True)  # by concept, then by row
        new = mentioned.sum(dim=0)
        first = new.cumsum(dim=0) - new
        turn = torch.arange(len(concepts), device=vectors.device) - first[concepts]
        # of a concept that the batch has more than M times, the last M stay
        last = turn >= new[concepts] - KEPT
        slots = (self.counts[concepts] + turn)[last] % KEPT
        self.features[concepts[last], slots] = vectors[rows[last]].to(self.features.dtype)
        self.counts += new


class TextBank(nn.Module):
    """The last K text features, first in first out; not used until it is full.

    Args:
        size: K.
        width: D.
    """

    features: Tensor
    count: Tensor

    def __init__(self, size: int, width: int):
        super().__init__()
        self.register_buffer("features", torch.zeros(size, width))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    @property
    def is_full(self) -> bool:
        """Whether K features were added."""
        return int(self.count) >= len(self.features)

    def nearest(self, vectors: Tensor) -> Tensor:
        """The stored feature of highest cosine with each of (N, D) unit vectors."""
        return self.features[(vectors.detach() @ self.features.T).argmax(dim=1)]

    @torch.no_grad()
    def enqueue(self, vectors: Tensor) -> None:
        """Add (N, D) unit vectors; of more than K, the last K."""
        size, start = len(self.features), int(self.count)
        kept = vectors[-size:]
        start += len(vectors) - len(kept)
        slots = (start + torch.arange(len(kept), device=vectors.device)) % size
        self.features[slots] = kept.to(self.features.dtype)
        self.count += len(vectors)

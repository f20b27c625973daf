"""What the server needs of a catalogue: products that are found by a phrase or by a photo.

The server knows no catalogue itself; who starts it hands one in, such as
`ovarnet.catalogue.search.product_finder.ProductFinder`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np


class Product(Protocol):
    """One product."""

    @property
    def id(self) -> str:
        """Unique in its catalogue."""

    @property
    def title(self) -> str:
        """Text beside the photo."""

    @property
    def all_labels(self) -> Mapping[str, str]:
        """Label column -> value."""


class Hit(Protocol):
    """A product that was found."""

    @property
    def product(self) -> Product:
        """What was found."""

    @property
    def score(self) -> float:
        """Cosine with the query."""


class ProductSearch(Protocol):
    """A catalogue that can be searched."""

    @property
    def model(self) -> str:
        """Name of the model that encodes queries."""

    @property
    def labels(self) -> Mapping[str, Sequence[str]]:
        """Label columns that are worth a filter -> their values."""

    def __len__(self) -> int:
        """Number of products."""

    def by_phrase(self, phrase: str, top: int, where: Mapping[str, str]) -> Sequence[Hit]:
        """The products nearest to a phrase, best first.

        Args:
            phrase: encoded as it is.
            top: most products to return.
            where: label column -> value that a product must have.

        Raises:
            InputError: the phrase is too long, or a label is unknown.
        """

    def by_photo(self, image: np.ndarray, top: int, where: Mapping[str, str]) -> Sequence[Hit]:
        """The products nearest to a photo, best first.

        Args:
            image: (H, W, 3) uint8 RGB.
            top: as in `by_phrase`.
            where: as in `by_phrase`.

        Raises:
            InputError: a label is unknown.
        """

    def photo(self, product_id: str) -> np.ndarray | None:
        """The first photo of a product, (H, W, 3) uint8 RGB; None: there is no such product."""

"""An index together with the encoder of its queries."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch

from ovarnet.catalogue.modeling.encoder import ProductEncoder, load_encoder
from ovarnet.catalogue.product import Box
from ovarnet.catalogue.search.index import Hit, SearchIndex, check_model
from ovarnet.io.images import read_image

if TYPE_CHECKING:
    from ovarnet.io.images import ImageLike

MOST_VALUES = 100
"""Labels with more values, such as a phrase of each product, are no filter."""


class ProductFinder:
    """Finds products by phrases and photos.

    Args:
        index: The products.
        encoder: Of the weights that the index was made with.
    """

    def __init__(self, index: SearchIndex, encoder: ProductEncoder):
        self.index, self.encoder = index, encoder

    def __len__(self) -> int:
        return len(self.index)

    @property
    def model(self) -> str:
        """What the encoder was opened by."""
        return self.encoder.name

    @cached_property
    def labels(self) -> dict[str, list[str]]:
        """Label columns of few values, at most one for two products -> their values, sorted."""
        catalogue = self.index.catalogue
        values = {column: sorted(catalogue.values(column)) for column in catalogue.columns}
        most = min(MOST_VALUES, len(catalogue) // 2)
        return {column: names for column, names in values.items() if 2 <= len(names) <= most}

    def by_phrase(
        self, phrase: str, top: int = 10, where: Mapping[str, str] | None = None
    ) -> list[Hit]:
        """The products nearest to a phrase, best first.

        Args:
            phrase: Encoded as it is.
            top: Most products to return.
            where: Label column -> value that a product must have.

        Raises:
            InputError: The phrase is too long, or an unknown column or value.
        """
        query = self.encoder.texts([phrase], truncate=False)[0]
        return self.index.search(query.numpy(), top, where)

    def by_photo(
        self,
        image: ImageLike,
        top: int = 10,
        where: Mapping[str, str] | None = None,
        box: Box | None = None,
    ) -> list[Hit]:
        """The products nearest to a photo, best first.

        Args:
            image: As `ovarnet.io.images.read_image` takes it.
            top: Most products to return.
            where: Label column -> value that a product must have.
            box: x1, y1, x2, y2 in pixels; None: the foreground.

        Raises:
            InputError: The photo cannot be read, or an unknown column or value.
        """
        return self.index.search(self.encoder.photo(image, box).numpy(), top, where)

    def photo(self, product_id: str) -> np.ndarray | None:
        """The first photo of a product, (H, W, 3) uint8 RGB; None: there is no such product."""
        product = self.index.catalogue.by_id.get(product_id)
        return None if product is None else read_image(product.image)


def open_finder(
    index: SearchIndex, model: str | None = None, device: str | torch.device | None = "auto"
) -> ProductFinder:
    """Open the model of an index.

    Args:
        index: Of `ovarnet.load_index`.
        model: As for `ovarnet.load`; None: by the name that the index was made with.
        device: As for `ovarnet.load`.

    Raises:
        InputError: It has other weights than the index was made with.
    """
    name = model or index.settings.model
    encoder = load_encoder(name, device=device, foreground=index.settings.foreground)
    check_model(index, encoder.hash, name)
    return ProductFinder(index, encoder)

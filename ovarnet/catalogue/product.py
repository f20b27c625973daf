"""The records of a catalogue: products, each with photos, a title and labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

from ovarnet.errors import InputError, did_you_mean

SPLITS = ("train", "val", "test")

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Product:
    """One product.

    Attributes:
        id: Unique in its catalogue.
        images: Places of its photos, at least one: paths, or members of a container file
            (`ovarnet.io.shards`), as `ovarnet.io.images.read_image` takes them.
        title: Text beside the photo, not empty.
        category: Coarse kind, "" where unknown.
        subcategory: Fine kind, "" where unknown.
        labels: Other label column -> value; columns without a value are absent.
        group: Products that count as the same one: variants, or products of one title. They share
            a split, and none of them is a wrong answer for another.
        split: "train", "val" or "test"; "" before `ovarnet.catalogue.data.split` assigned it.
        boxes: Of each photo the foreground: x1, y1, x2, y2 in pixels of the photo as
            `read_image` gives it. Empty before `ovarnet prepare catalogue` found them.
    """

    id: str
    images: tuple[str, ...]
    title: str
    category: str = ""
    subcategory: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    group: str = ""
    split: str = ""
    boxes: tuple[Box, ...] = ()

    @property
    def image(self) -> str:
        """The first photo."""
        return self.images[0]

    @property
    def all_labels(self) -> dict[str, str]:
        """Column -> value of every label, category and subcategory included where known."""
        kinds = {"category": self.category, "subcategory": self.subcategory}
        return {name: value for name, value in kinds.items() if value} | dict(self.labels)


class Catalogue(Sequence[Product]):
    """Products in the order of their file.

    Args:
        products: With unique ids.
        source: File or folder they were read from, for messages.

    Raises:
        InputError: No product, or an id that occurs twice.
    """

    def __init__(self, products: Sequence[Product], source: str):
        if not products:
            raise InputError(f"{source}: no product in it; give a table with at least one row")
        self.products, self.source = tuple(products), source
        self.by_id = {product.id: product for product in self.products}
        if len(self.by_id) < len(self.products):
            ids = [product.id for product in self.products]
            twice = next(name for name in self.by_id if ids.count(name) > 1)
            raise InputError(f"{source}: product id {twice!r:.60} occurs twice; ids must be unique")

    def __len__(self) -> int:
        return len(self.products)

    @overload
    def __getitem__(self, index: int) -> Product: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Product, ...]: ...

    def __getitem__(self, index: int | slice) -> Product | tuple[Product, ...]:
        return self.products[index]

    def __iter__(self) -> Iterator[Product]:
        return iter(self.products)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all label columns that any product has, in order of first occurrence."""
        return tuple(dict.fromkeys(name for product in self for name in product.all_labels))

    def values(self, column: str) -> list[str]:
        """Distinct values of a label column, in order of first occurrence.

        Raises:
            InputError: No product has such a column.
        """
        if column not in self.columns:
            raise InputError(
                f"{self.source}: no label column {column!r:.60}"
                f"{did_you_mean(column, self.columns)}; there are {', '.join(self.columns)}"
            )
        values = (product.all_labels.get(column) for product in self)
        return list(dict.fromkeys(value for value in values if value is not None))

    def split(self, name: str) -> Catalogue:
        """The products of one split.

        Raises:
            InputError: It has none.
        """
        found = [product for product in self if product.split == name]
        if not found:
            raise InputError(f"{self.source}: no product is in split {name!r:.60}")
        return Catalogue(found, self.source)

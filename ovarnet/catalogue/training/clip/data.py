"""Batches of the stage "catalogue_clip": a view of each photo, with its title or its labels.

N products of a batch, C concepts, S side of the image tower's input, F and M widths of the features
of a photo CLIP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ovarnet.catalogue.data.split import same_title
from ovarnet.catalogue.product import Product
from ovarnet.training.data.batch import TensorBatch
from ovarnet.training.data.crops import BoxCropper
from ovarnet.training.engine.seeds import seeded


@dataclass
class ProductBatch(TensorBatch):
    """Photos with their texts.

    Attributes:
        photos: (N, 3, S, S) normalised pixels, or (N, F + M) features.
        texts: (N,) int64 rows of the stage's texts.
        groups: (N,) int64.
        mentions: (N, C) bool, concepts that each product mentions.
    """

    photos: Tensor
    texts: Tensor
    groups: Tensor
    mentions: Tensor


class PhotoSource(Protocol):
    """Gives a view of some photos."""

    def views(self, rows: Tensor, seed: tuple[int, ...], /) -> Tensor:
        """`ProductBatch.photos` of the products in (N,) rows."""


class FeaturePhotos:
    """Stored features, always of the crop that inference takes.

    Args:
        features: (R, F + M) of any float type.
    """

    def __init__(self, features: Tensor):
        self.features = features

    def views(self, rows: Tensor, _seed: tuple[int, ...]) -> Tensor:
        """(N, F + M) float32."""
        return self.features[rows].float()


class PixelPhotos:
    """Photos that are read at every visit, randomly cropped and mirrored.

    Args:
        files: Places of the photos.
        boxes: (R, 4) float32 xyxy in pixels.
        crops: Cuts them.
    """

    def __init__(self, files: Sequence[str], boxes: Tensor, crops: BoxCropper):
        self.files, self.boxes, self.crops = files, boxes, crops

    def views(self, rows: Tensor, seed: tuple[int, ...]) -> Tensor:
        """(N, 3, S, S) float32, normalised."""
        return torch.cat(
            [
                self.crops.random(self.files[row], self.boxes[row : row + 1], seeded(*seed, row))
                for row in rows.tolist()
            ]
        )


class ProductDataset(Dataset):
    """Training products.

    Args:
        products: R products.
        photos: Gives their views.
        mentions: (R, C) bool.
        seed: Of the run.
        label_texts: How often a product's text is the phrase of its labels.

    Attributes:
        texts: All texts, each once; `ProductBatch.texts` are rows of it.
    """

    def __init__(
        self,
        products: Sequence[Product],
        photos: PhotoSource,
        mentions: Tensor,
        *,
        seed: int,
        label_texts: float,
    ):
        self.photos, self.mentions = photos, mentions
        self.seed, self.label_texts = seed, label_texts
        titles = [product.title for product in products]
        labels = [label_phrase(product) or product.title for product in products]
        self.texts = list(dict.fromkeys([*titles, *labels]))
        rows = {text: row for row, text in enumerate(self.texts)}
        self.titles = torch.tensor([rows[text] for text in titles])
        self.labels = torch.tensor([rows[text] for text in labels])
        groups = {name: number for number, name in enumerate({p.group: None for p in products})}
        self.groups = torch.tensor([groups[product.group] for product in products])

    def __len__(self) -> int:
        return len(self.titles)

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> ProductBatch:
        """The batch of (iteration, index) keys."""
        rows = torch.tensor([index for _, index in keys])
        draws = torch.rand(len(rows), generator=seeded(self.seed, keys[0][0], 1))
        texts = torch.where(draws < self.label_texts, self.labels[rows], self.titles[rows])
        photos = self.photos.views(rows, (self.seed, keys[0][0]))
        return ProductBatch(photos, texts, self.groups[rows], self.mentions[rows])


def label_phrase(product: Product) -> str:
    """The labels of a product as one phrase, such as "black women shoes"; "" without any."""
    kind = product.subcategory or product.category
    words = [same_title(value) for value in (*product.labels.values(), kind) if value]
    return " ".join(dict.fromkeys(words))

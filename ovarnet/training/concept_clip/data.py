"""Batches of the stage "concept_clip": features of crops, and what is known of them.

N crops of a batch, K concepts (ImageNet's classes, then base categories), A base attributes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ovarnet.modeling.clip.concept_tower import CropFeatures
from ovarnet.training.concept_clip.crop_features import FeatureTable
from ovarnet.training.data.batch import TensorBatch
from ovarnet.training.engine.seeds import seeded

DETECTION, ATTRIBUTES, BACKGROUND, CAPTIONS = "detection", "attributes", "background", "captions"
SHARES = {DETECTION: 3 / 8, ATTRIBUTES: 2 / 8, BACKGROUND: 1 / 8, CAPTIONS: 2 / 8}
"""Of a batch."""


@dataclass
class ConceptBatch(TensorBatch):
    """Crops of all sources, in the order of `SHARES`.

    Attributes:
        pooled: (N, F) float32.
        mid: (N, M) float32.
        categories: (N1,) int64 base columns, of the detection crops.
        attributes: (N2, A) int8, of the attribute crops.
        captions: (N4,) int64 rows of the captions' features.
        background: N3, crops without an annotated object.
    """

    pooled: Tensor
    mid: Tensor
    categories: Tensor
    attributes: Tensor
    captions: Tensor
    background: int

    @property
    def features(self) -> CropFeatures:
        """Of all crops."""
        return CropFeatures(self.pooled, self.mid)


class ConceptDataset(Dataset):
    """Draws a view of each crop, and one caption of each photo.

    Args:
        tables: Source -> features, in the order of `SHARES`; held-out data lack some.
        categories: (R,) int64 base columns of the detection boxes.
        attributes: (R, A) int8 labels of the attribute boxes.
        captions: For each photo the rows of its captions.
        seed: Of the run.
    """

    def __init__(
        self,
        tables: Mapping[str, FeatureTable],
        categories: Tensor,
        attributes: Tensor,
        captions: Sequence[Sequence[int]],
        *,
        seed: int,
    ):
        self.tables, self.seed = tables, seed
        self.categories, self.attributes, self.captions = categories, attributes, captions

    def __len__(self) -> int:
        return sum(map(len, self.tables.values()))

    def shares(self, batch_size: int) -> dict[str, tuple[int, int]]:
        """For the sampler: crops of each source, and how many of a batch come from it."""
        return {
            name: (
                len(self.tables[name]),
                round(batch_size * share) if len(self.tables[name]) else 0,
            )
            for name, share in SHARES.items()
            if name in self.tables
        }

    def __getitems__(self, keys: Sequence[tuple[int, str, int]]) -> ConceptBatch:
        """The batch of (iteration, source, index) keys, source by source."""
        generator = seeded(self.seed, keys[0][0])
        rows = {
            name: torch.tensor([index for _, source, index in keys if source == name]).long()
            for name in SHARES
        }
        parts = [
            table.rows(
                rows[name], torch.randint(table.views, (len(rows[name]),), generator=generator)
            )
            for name, table in self.tables.items()
        ]
        draws = torch.rand(len(rows[CAPTIONS]), generator=generator).tolist()
        owned = [self.captions[row] for row in rows[CAPTIONS].tolist()]
        captions = [texts[int(draw * len(texts))] for texts, draw in zip(owned, draws, strict=True)]
        return ConceptBatch(
            torch.cat([part.pooled for part in parts]),
            torch.cat([part.mid for part in parts]),
            self.categories[rows[DETECTION]],
            self.attributes[rows[ATTRIBUTES]],
            torch.tensor(captions).long(),
            len(rows[BACKGROUND]),
        )

"""Batches of step I: crops or cached embeddings of boxes, and their labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.utils.data import Dataset

from ovarnet.losses.federated import sample_categories
from ovarnet.training.data.base_boxes import ATTRIBUTES, DETECTION
from ovarnet.training.data.base_data import BaseData
from ovarnet.training.data.batch import TensorBatch
from ovarnet.training.data.crops import BoxCropper
from ovarnet.training.engine.seeds import seeded


@dataclass
class BaseBoxBatch(TensorBatch):
    """Boxes of step I: R1 of the detection data, then R2 of the attribute data; R = R1 + R2.

    Either `crops` or `embeddings` is given. R1 and R2 may be 0.

    Attributes:
        categories: (R1,) int64 base columns.
        attributes: (R2, A) int8 of POSITIVE / NEGATIVE / UNKNOWN, base columns.
        sampled_categories: (C,) bool, the columns in the category loss; None: all.
        crops: (R, 3, S, S) float32, normalised.
        embeddings: (R, D) float32 of cached crops.
    """

    categories: Tensor
    attributes: Tensor
    sampled_categories: Tensor | None = None
    crops: Tensor | None = None
    embeddings: Tensor | None = None


class BaseBoxDataset(Dataset):
    """Batches of step I.

    Args:
        data: The boxes.
        crops: Cuts them.
        seed: Of the run; what is drawn at a visit depends on it, the iteration and the box.
        sampled_categories: Category columns in the loss of a batch; 0: all.
        embedder: Gives cached embeddings of (iteration, source, index) keys, used instead of crops.
    """

    def __init__(
        self,
        data: BaseData,
        crops: BoxCropper,
        *,
        seed: int,
        sampled_categories: int = 0,
        embedder: Callable[[Sequence[tuple[int, str, int]]], Tensor] | None = None,
    ):
        self.data, self.crops, self.seed = data, crops, seed
        self.sampled_categories, self.embedder = sampled_categories, embedder
        self.counts = data.category_counts()

    def __len__(self) -> int:
        return len(self.data.detection) + len(self.data.attributes)

    def __getitems__(self, keys: Sequence[tuple[int, str, int]]) -> BaseBoxBatch:
        """Batch of (iteration, source, index) keys, detection first."""
        rows = {
            name: [index for _, source, index in keys if source == name]
            for name in (DETECTION, ATTRIBUTES)
        }
        batch = BaseBoxBatch(
            self.data.detection.targets[rows[DETECTION]],
            self.data.attributes.targets[rows[ATTRIBUTES]],
        )
        if self.sampled_categories:
            generator = seeded(self.seed, 1, keys[0][0])
            batch.sampled_categories = sample_categories(
                batch.categories, self.counts, self.sampled_categories, generator
            )
        if self.embedder is not None:
            batch.embeddings = self.embedder(keys)
        else:
            batch.crops = self.crops.concatenate([self._crop(*key) for key in keys])
        return batch

    def _crop(self, iteration: int, source: str, index: int) -> Tensor:
        regions = self.data.detection if source == DETECTION else self.data.attributes
        generator = seeded(self.seed, iteration, index, int(source == DETECTION))
        return self.crops.random(regions.files[index], regions.boxes[index : index + 1], generator)

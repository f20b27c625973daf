"""Batches of the stage "region_head": regions, and what is known of them.

R regions of all images or of a batch, A base attributes; C, S, F and M as in `region_cache`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.ops import box_iou

from ovarnet.modeling.clip.concept_tower import CropFeatures
from ovarnet.structures import NO_CATEGORY, UNKNOWN
from ovarnet.training.data.batch import TensorBatch
from ovarnet.training.distillation.data import TrainingImage
from ovarnet.training.distillation.region_sampling import REGION_BACKGROUND_IOU
from ovarnet.training.engine.seeds import seeded
from ovarnet.training.region_head.region_cache import CachedRegions


@dataclass
class RegionLabels(TensorBatch):
    """What is known of R regions.

    Attributes:
        categories: (R,) int64 base columns or NO_CATEGORY.
        attributes: (R, A) int8 of POSITIVE / NEGATIVE / UNKNOWN.
        is_background: (R, categories) bool, where the base category is known not to be right.
    """

    categories: Tensor
    attributes: Tensor
    is_background: Tensor


@dataclass
class RegionBatch(TensorBatch):
    """R regions.

    Attributes:
        cells: (R, C, S, S) float32.
        pooled: (R, F) float32, the teacher's features of the crops.
        mid: (R, M) float32, likewise.
        labels: Of the regions.
    """

    cells: Tensor
    pooled: Tensor
    mid: Tensor
    labels: RegionLabels

    @property
    def crop_features(self) -> CropFeatures:
        """The teacher's."""
        return CropFeatures(self.pooled, self.mid)


class RegionDataset(Dataset):
    """Draws regions, mirrored half of the time.

    Args:
        regions: Of all images.
        labels: Of the same regions.
        seed: Of the run.
    """

    def __init__(self, regions: CachedRegions, labels: RegionLabels, *, seed: int):
        self.regions, self.labels, self.seed = regions, labels, seed

    def __len__(self) -> int:
        return len(self.regions.boxes)

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> RegionBatch:
        """The batch of (iteration, index) keys."""
        rows = torch.tensor([index for _, index in keys])
        cells = self.regions.cells[rows].float()
        draws = torch.rand(len(rows), generator=seeded(self.seed, *keys[0]))
        cells = torch.where((draws < 0.5)[:, None, None, None], cells.flip(3), cells)
        labels = self.labels
        return RegionBatch(
            cells,
            self.regions.pooled[rows].float(),
            self.regions.mid[rows].float(),
            RegionLabels(
                labels.categories[rows], labels.attributes[rows], labels.is_background[rows]
            ),
        )


def label_regions(images: Sequence[TrainingImage], regions: CachedRegions) -> RegionLabels:
    """Labels of all regions.

    Args:
        images: With base labels alone.
        regions: Of the same images: the annotated boxes of each, then proposals.

    Returns:
        The labels of annotated boxes, none of ignored ones. A proposal that lies on no annotated
        box is background to the categories whose objects are all annotated in its image.
    """
    labels = [
        _labels_of_image(image, boxes)
        for image, boxes in zip(images, regions.boxes.split(regions.counts), strict=True)
    ]
    return RegionLabels(
        torch.cat([one.categories for one in labels]),
        torch.cat([one.attributes for one in labels]),
        torch.cat([one.is_background for one in labels]),
    )


def _labels_of_image(image: TrainingImage, boxes: Tensor) -> RegionLabels:
    annotated, total = len(image.boxes), len(boxes)
    categories = torch.full((total,), NO_CATEGORY)
    attributes = torch.full((total, image.attributes.shape[1]), UNKNOWN, dtype=torch.int8)
    is_background = torch.zeros(total, len(image.labelled), dtype=torch.bool)

    known = (~image.is_ignored).nonzero().flatten()
    categories[known] = image.categories[known]
    attributes[known] = image.attributes[known]

    overlaps = (box_iou(boxes[annotated:], image.boxes) >= REGION_BACKGROUND_IOU).any(dim=1)
    is_background[annotated:] = ~overlaps[:, None] & image.labelled
    return RegionLabels(categories, attributes, is_background)

"""Batches of the stage "ovarnet"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ovarnet.modeling.crops import crop_boxes
from ovarnet.structures import NO_CATEGORY, POSITIVE, Proposals
from ovarnet.training.data.crops import ImageCache, mirror, seeded
from ovarnet.training.distillation.data import DistillationData, TrainingImage


class ImageTargets(NamedTuple):
    """One image of a batch, mirrored or not. Boxes in pixels of the image.

    boxes (N, 4), categories (N,), attributes (N, A), is_crowd (N,): as `TrainingImage`.
    is_box_supervised: (N,) bool, anchors and box deltas learn from it. proposals: (K, 4), for
    distillation alone. teacher: crops (N + K, 3, S, S), or their embeddings (N + K, D) where they
    are cached; 0 rows without a teacher. rpn_supervised, all_annotated: () bool.
    """

    boxes: Tensor
    categories: Tensor
    attributes: Tensor
    is_box_supervised: Tensor
    is_crowd: Tensor
    proposals: Tensor
    teacher: Tensor
    rpn_supervised: Tensor
    all_annotated: Tensor


def supervises_boxes(image: TrainingImage, shape: Sequence[int], has_categories: bool) -> Tensor:
    """(N,) bool: anchors and box deltas learn from the boxes of a base category. shape: (3, H, W)
    of the image. Never from a crowd.

    Where the run has no categories (LSA), from the boxes with a base attribute, without which no
    anchor would ever be on an object; but not from one of the whole image, which there means that
    the object has no box.
    """
    if has_categories:
        return (image.categories != NO_CATEGORY) & ~image.is_crowd
    whole = (image.boxes == image.boxes.new_tensor([0, 0, shape[2], shape[1]])).all(dim=1)
    return (image.attributes == POSITIVE).any(dim=1) & ~whole & ~image.is_crowd


class DistillationDataset(Dataset):
    """Batches of images with targets.

    proposals: file -> the teacher's proposals, best first; {} without a teacher. drawn: K. crop:
    size, mean and std of the teacher's crops, or None without a teacher. cache: (source, index) ->
    embeddings (N + all proposals, D), used instead of cutting crops.
    """

    def __init__(
        self,
        data: DistillationData,
        images: ImageCache,
        *,
        seed: int,
        proposals: dict[str, Proposals],
        drawn: int,
        crop: tuple | None,
        cache: dict[tuple[str, int], Tensor] | None = None,
    ):
        self.data, self.images, self.seed = data, images, seed
        self.proposals, self.drawn, self.crop, self.cache = proposals, drawn, crop, cache

    def __len__(self) -> int:
        return sum(map(len, self.data.sources.values()))

    def __getitems__(
        self, keys: Sequence[tuple[int, str, int]]
    ) -> tuple[list[Tensor], list[ImageTargets]]:
        """(iteration, source, index) keys -> images (3, H, W) float32 in [0, 1], and their
        targets.
        """
        samples = [self._sample(*key) for key in keys]
        return [image for image, _ in samples], [targets for _, targets in samples]

    def _sample(self, iteration: int, source: str, index: int) -> tuple[Tensor, ImageTargets]:
        image = self.data.sources[source][index]
        pixels = self.images.read(image.file)
        draw = seeded(self.seed, iteration, index, list(self.data.sources).index(source))
        mirrored = torch.rand(1, generator=draw).item() < 0.5
        proposals = self.proposals[image.file].boxes if self.proposals else torch.zeros(0, 4)
        rows = torch.randperm(len(proposals), generator=draw)[: self.drawn]
        seen = self._seen_by_teacher((source, index), image, pixels, proposals[rows], rows)
        boxes, proposals = image.boxes, proposals[rows]
        if mirrored:
            pixels, boxes, proposals = (
                pixels.flip(-1),
                mirror(boxes, pixels.shape[2]),
                mirror(proposals, pixels.shape[2]),
            )
        taught = supervises_boxes(image, pixels.shape, bool(self.data.vocabulary.categories))
        return pixels, ImageTargets(
            boxes,
            image.categories,
            image.attributes,
            taught,
            image.is_crowd,
            proposals,
            seen,
            torch.tensor(image.rpn_supervised),
            torch.tensor(image.all_annotated),
        )

    def _seen_by_teacher(
        self,
        key: tuple[str, int],
        image: TrainingImage,
        pixels: Tensor,
        proposals: Tensor,
        rows: Tensor,
    ) -> Tensor:
        """What the teacher sees, or has said, of the boxes and the proposals; never mirrored, so
        that it is the same at every visit.
        """
        if self.cache is not None:
            own = len(image.boxes)
            return self.cache[key][torch.cat([torch.arange(own), own + rows])]
        if self.crop is None:
            return torch.zeros(0)
        return crop_boxes(pixels, torch.cat([image.boxes, proposals]), *self.crop)

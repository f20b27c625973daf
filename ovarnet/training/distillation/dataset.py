"""Batches of the stage "ovarnet": images, and the targets of each.

N annotated boxes of an image, K proposals drawn for it, A base attribute words, D the teacher's
embedding width, S side of its crops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ovarnet.modeling.crops import crop_boxes
from ovarnet.structures import NO_CATEGORY, POSITIVE, Proposals
from ovarnet.training.data.batch import TensorBatch
from ovarnet.training.data.crops import hflip_boxes
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.training.distillation.data import DistillationData, TrainingImage
from ovarnet.training.engine.seeds import seeded


@dataclass
class ImageTargets(TensorBatch):
    """Targets of one image, mirrored or not with it.

    At most one of `teacher_crops` and `teacher_embeddings` is given: the first where the teacher
    runs during training, the second where its embeddings are cached, neither without distillation.
    Their rows are the annotated boxes, then the proposals.

    Attributes:
        boxes: (N, 4) float32 xyxy, pixels of the image; N may be 0.
        categories: (N,) int64 base columns or NO_CATEGORY.
        attributes: (N, A) int8 of POSITIVE / NEGATIVE / UNKNOWN, base columns.
        is_box_supervised: (N,) bool, the losses of anchors and box deltas count this box.
        is_ignored: (N,) bool, crowd or difficult boxes.
        proposals: (K, 4) float32 xyxy, for distillation alone.
        teacher_crops: (N + K, 3, S, S) float32, normalised.
        teacher_embeddings: (N + K, D) float32.
        rpn_supervised: The losses of anchors count this image.
        all_annotated: Every object of a base category has a box, so that regions without one are
            background.
    """

    boxes: Tensor
    categories: Tensor
    attributes: Tensor
    is_box_supervised: Tensor
    is_ignored: Tensor
    proposals: Tensor
    teacher_crops: Tensor | None
    teacher_embeddings: Tensor | None
    rpn_supervised: bool
    all_annotated: bool

    @property
    def teacher_count(self) -> int:
        """N + K: how many boxes and proposals the teacher embeds."""
        return len(self.boxes) + len(self.proposals)


@dataclass
class DistillationBatch(TensorBatch):
    """Images of any sizes and their targets.

    Attributes:
        images: (3, H, W) float32 RGB in [0, 1].
        targets: One for each image.
    """

    images: list[Tensor]
    targets: list[ImageTargets]


@dataclass(frozen=True)
class CropTransform:
    """How the teacher's crops are cut, as `crop_boxes` takes it.

    Attributes:
        size: S, pixels.
        mean: Of the teacher's pixels, three numbers.
        std: Likewise.
    """

    size: int
    mean: Sequence[float]
    std: Sequence[float]

    def __call__(self, pixels: Tensor, boxes: Tensor) -> Tensor:
        """(3, H, W) in [0, 1] and boxes (R, 4) -> deterministic crops (R, 3, S, S)."""
        return crop_boxes(pixels, boxes, self.size, self.mean, self.std)


class DistillationDataset(Dataset):
    """Images with base boxes, and regions for the teacher.

    Args:
        data: The images.
        images: Reads and keeps their pixels.
        seed: Of the run; what is drawn at a visit depends on it, the iteration and the image.
        proposals: File -> the teacher's proposals, best first; empty without a teacher.
        proposals_per_image: K at most, drawn from them at each visit.
        crop: Cuts the teacher's crops; None without a teacher.
        cache: (source, index) -> embeddings (N + all proposals, D), used instead of cutting crops.
    """

    def __init__(
        self,
        data: DistillationData,
        images: ImageCache,
        *,
        seed: int,
        proposals: Mapping[str, Proposals],
        proposals_per_image: int,
        crop: CropTransform | None,
        cache: Mapping[tuple[str, int], Tensor] | None = None,
    ):
        self.data, self.images, self.seed = data, images, seed
        self.proposals, self.proposals_per_image = proposals, proposals_per_image
        self.crop, self.cache = crop, cache

    def __len__(self) -> int:
        return sum(map(len, self.data.sources.values()))

    def __getitems__(self, keys: Sequence[tuple[int, str, int]]) -> DistillationBatch:
        """Batch of (iteration, source, index) keys."""
        samples = [self._sample(*key) for key in keys]
        return DistillationBatch(
            [pixels for pixels, _ in samples], [targets for _, targets in samples]
        )

    def _sample(self, iteration: int, source: str, index: int) -> tuple[Tensor, ImageTargets]:
        image = self.data.sources[source][index]
        pixels, boxes = self.images.read(image.file), image.boxes

        # drawn in this order from one generator, so that a resumed run draws the same
        draw = seeded(self.seed, iteration, index, list(self.data.sources).index(source))
        is_mirrored = torch.rand(1, generator=draw).item() < 0.5
        candidates = self.proposals[image.file].boxes if self.proposals else torch.zeros(0, 4)
        rows = torch.randperm(len(candidates), generator=draw)[: self.proposals_per_image]
        proposals = candidates[rows]

        # the teacher never sees the mirrored image, so that its embeddings can be cached
        crops = embeddings = None
        if self.cache is not None:
            count = len(boxes)
            embeddings = self.cache[source, index][torch.cat([torch.arange(count), count + rows])]
        elif self.crop is not None:
            crops = self.crop(pixels, torch.cat([boxes, proposals]))

        if is_mirrored:
            width = pixels.shape[2]
            pixels, boxes = pixels.flip(-1), hflip_boxes(boxes, width)
            proposals = hflip_boxes(proposals, width)
        has_categories = bool(self.data.vocabulary.categories)
        return pixels, ImageTargets(
            boxes=boxes,
            categories=image.categories,
            attributes=image.attributes,
            is_box_supervised=supervises_boxes(image, pixels.shape, has_categories),
            is_ignored=image.is_ignored,
            proposals=proposals,
            teacher_crops=crops,
            teacher_embeddings=embeddings,
            rpn_supervised=image.rpn_supervised,
            all_annotated=image.all_annotated,
        )


def supervises_boxes(image: TrainingImage, shape: Sequence[int], has_categories: bool) -> Tensor:
    """Which boxes the losses of anchors and box deltas count: those of a base category.

    Ignored boxes (crowd or difficult) never count. Where the run has no categories (LSA), those
    with a base attribute count, without which no anchor would ever be on an object; but not those
    of the whole image, which there mean that the object has no box.

    Args:
        image: N boxes.
        shape: (3, H, W) of the image.
        has_categories: Whether the run has categories.

    Returns:
        (N,) bool.
    """
    if has_categories:
        return (image.categories != NO_CATEGORY) & ~image.is_ignored
    is_whole = (image.boxes == image.boxes.new_tensor([0, 0, shape[2], shape[1]])).all(dim=1)
    return (image.attributes == POSITIVE).any(dim=1) & ~is_whole & ~image.is_ignored

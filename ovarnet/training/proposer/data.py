"""Batches of the stage "proposer": images with the boxes of base categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ovarnet.io.images import read_image, to_pixels
from ovarnet.structures import Annotations
from ovarnet.training.data.batch import TensorBatch
from ovarnet.training.data.crops import hflip_boxes
from ovarnet.training.engine.sampling import IterationSampler
from ovarnet.vocabulary import Vocabulary


@dataclass
class BoxedImageBatch(TensorBatch):
    """Images of any sizes and their boxes.

    Attributes:
        images: (3, H, W) float32 RGB in [0, 1].
        boxes: (N, 4) float32 xyxy of each, pixels of the image; N may be 0.
    """

    images: list[Tensor]
    boxes: list[Tensor]


class BoxedImageDataset(Dataset):
    """Annotated images, flipped half of the time; read from disk at every visit.

    Args:
        annotations: All of their boxes are of base categories; crowd and difficult ones are not
            learned from.
        seed: Of the run; flips are drawn from it.
    """

    def __init__(self, annotations: Sequence[Annotations], *, seed: int):
        self.annotations, self.seed = annotations, seed

    def __len__(self) -> int:
        return len(self.annotations)

    def sampler(self, batch_size: int, iterations: int, **more: int) -> IterationSampler:
        """Batches of images."""
        return IterationSampler(len(self), batch_size, iterations, **more)

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> BoxedImageBatch:
        """The batch of (iteration, index) keys."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + keys[0][0])
        flips = (torch.rand(len(keys), generator=generator) < 0.5).tolist()
        batch = BoxedImageBatch([], [])
        for (_, index), is_flipped in zip(keys, flips, strict=True):
            annotation = self.annotations[index]
            pixels = to_pixels(read_image(annotation.file))
            boxes = annotation.boxes[~annotation.is_ignored]
            if is_flipped:
                pixels, boxes = pixels.flip(-1), hflip_boxes(boxes, pixels.shape[2])
            batch.images.append(pixels)
            batch.boxes.append(boxes)
        return batch


def with_base_boxes(
    annotations: Sequence[Annotations], vocabulary: Vocabulary
) -> list[Annotations]:
    """Images with their boxes of base categories alone; images without one are left out.

    Args:
        annotations: With columns of `vocabulary`.
        vocabulary: Base and novel words.
    """
    seen = vocabulary.category_seen
    kept = [
        image[(image.categories >= 0) & seen[image.categories.clamp(min=0)]]
        for image in annotations
    ]
    return [image for image in kept if len(image)]

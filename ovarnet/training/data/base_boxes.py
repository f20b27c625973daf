"""Boxes of base words for step I, each data source in its own label space (method section 3).

R boxes of a source, A base attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ovarnet.errors import InputError
from ovarnet.structures import NO_CATEGORY, UNKNOWN, Annotations
from ovarnet.vocabulary import Vocabulary

DETECTION, ATTRIBUTES = "detection", "attributes"
"""Names of the two data sources."""


@dataclass
class TrainingBoxes:
    """Boxes of one source, one row each.

    Attributes:
        files: R paths of images.
        boxes: (R, 4) float32 xyxy, pixels of the image.
        targets: Of detection data (R,) int64 base columns; of attribute data (R, A) int8 of
            POSITIVE / NEGATIVE / UNKNOWN, base columns.
    """

    files: list[str]
    boxes: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.files)

    def first(self, count: int) -> TrainingBoxes:
        """The first `count` boxes."""
        return TrainingBoxes(self.files[:count], self.boxes[:count], self.targets[:count])


def base_vocabulary(vocabulary: Vocabulary) -> Vocabulary:
    """The seen words alone, in their order: the columns of all targets."""
    return Vocabulary(
        tuple(word for word in vocabulary.categories if word.seen),
        tuple(word for word in vocabulary.attributes if word.seen),
    )


def detection_boxes(images: Sequence[Annotations], vocabulary: Vocabulary) -> TrainingBoxes:
    """Boxes with a category, without crowds and difficult boxes.

    Args:
        images: Annotations with columns of `vocabulary`.
        vocabulary: Base and novel words.

    Raises:
        InputError: A box of a novel category.
    """
    seen = vocabulary.category_seen
    base_column = seen.cumsum(0) - 1
    kept = [image[(image.categories != NO_CATEGORY) & ~image.is_ignored] for image in images]
    for image in kept:
        novel = image.categories[~seen[image.categories]]
        if len(novel):
            raise InputError(
                f"image {image.image_id} has a box of the novel category "
                f"'{vocabulary.categories[int(novel[0])].name}'; training may only see base "
                "categories"
            )
    targets = [base_column[image.categories] for image in kept]
    return _joined(kept, torch.cat([torch.zeros(0, dtype=torch.int64), *targets]))


def attribute_boxes(images: Sequence[Annotations], vocabulary: Vocabulary) -> TrainingBoxes:
    """Boxes with at least one known attribute, without crowds and difficult boxes.

    Args:
        images: Annotations with columns of `vocabulary`.
        vocabulary: Base and novel words.

    Raises:
        InputError: A label of a novel attribute.
    """
    seen = vocabulary.attribute_seen
    novel_words = [word.name for word in vocabulary.attributes if not word.seen]
    for image in images:
        labelled = (image.attributes[:, ~seen] != UNKNOWN).any(dim=0).nonzero().flatten()
        if len(labelled):
            raise InputError(
                f"image {image.image_id} has a label of the novel attribute "
                f"'{novel_words[int(labelled[0])]}'; training may only see base attributes"
            )
    kept = [image[(image.attributes != UNKNOWN).any(dim=1) & ~image.is_ignored] for image in images]
    targets = [image.attributes[:, seen] for image in kept]
    return _joined(kept, torch.cat([torch.zeros(0, int(seen.sum()), dtype=torch.int8), *targets]))


def _joined(images: Sequence[Annotations], targets: Tensor) -> TrainingBoxes:
    files = [image.file for image in images for _ in range(len(image))]
    boxes = torch.cat([torch.zeros(0, 4), *(image.boxes for image in images)])
    return TrainingBoxes(files, boxes, targets)

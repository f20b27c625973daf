"""Every image of a run once, with the base labels of all sources.

N boxes of an image, A base attributes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace

import torch

from ovarnet.structures import NO_CATEGORY, UNKNOWN
from ovarnet.training.distillation.data import TrainingImage


def merge_images(images: Iterable[TrainingImage]) -> list[TrainingImage]:
    """Merge what several sources say about the same file.

    Args:
        images: Of all sources, with base labels alone; links to one file are the same file.

    Returns:
        One image per file, in the order of the first mention. A box that several sources have with
        the same corners is one box, with the category and the attribute labels that are known. All
        objects of a category are annotated where one source says so.
    """
    merged: dict[str, TrainingImage] = {}
    for image in images:
        file = os.path.realpath(image.file)
        merged[file] = merge(merged[file], image) if file in merged else image
    return list(merged.values())


def merge(first: TrainingImage, second: TrainingImage) -> TrainingImage:
    """The boxes of `first`, with what `second` adds to them, then its other boxes."""
    same = (first.boxes[:, None] == second.boxes[None]).all(dim=2)
    categories, attributes = first.categories.clone(), first.attributes.clone()
    ignored = first.is_ignored.clone()
    for row, other in same.nonzero().tolist():
        if categories[row] == NO_CATEGORY:
            categories[row] = second.categories[other]
        is_unknown = attributes[row] == UNKNOWN
        attributes[row, is_unknown] = second.attributes[other, is_unknown]
        ignored[row] |= second.is_ignored[other]
    new = ~same.any(dim=0)
    return replace(
        first,
        boxes=torch.cat([first.boxes, second.boxes[new]]),
        categories=torch.cat([categories, second.categories[new]]),
        attributes=torch.cat([attributes, second.attributes[new]]),
        is_ignored=torch.cat([ignored, second.is_ignored[new]]),
        rpn_supervised=first.rpn_supervised or second.rpn_supervised,
        all_annotated=first.all_annotated or second.all_annotated,
        labelled=first.labelled | second.labelled,
    )

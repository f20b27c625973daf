"""Which regions of an image enter the losses, and with which targets (method sections 5 and 6).

P proposals of the RPN, N annotated boxes, K proposals of the teacher, R regions, A base attributes.
Boxes are xyxy in the batch frame, that is in pixels of the resized image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ovarnet.losses.assignment import BACKGROUND, match, sample_balanced
from ovarnet.structures import NO_CATEGORY, UNKNOWN
from ovarnet.training.distillation.dataset import ImageTargets

REGION_IOU, REGION_BACKGROUND_IOU = 0.6, 0.5


@dataclass
class RegionTargets:
    """Targets of R regions; R may be 0.

    Attributes:
        boxes: (R, 4) float32, where the region is pooled.
        categories: (R,) int64 base columns or NO_CATEGORY.
        attributes: (R, A) int8, all UNKNOWN where the region has no label.
        is_background: (R,) bool, no category is right.
        is_box_supervised: (R,) bool, the box loss counts this region.
        gt_boxes: (R, 4) float32, the annotated box where `is_box_supervised`.
        teacher_rows: (R,) int64, row of the teacher's embeddings of the region's image
            (`ImageTargets`), or -1.
    """

    boxes: Tensor
    categories: Tensor
    attributes: Tensor
    is_background: Tensor
    is_box_supervised: Tensor
    gt_boxes: Tensor
    teacher_rows: Tensor

    @classmethod
    def concatenate(cls, parts: Sequence[RegionTargets]) -> RegionTargets:
        """The regions of all parts, one after the other."""
        return cls(
            *(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(cls))
        )


def sample_regions(proposals: Tensor, targets: ImageTargets, number: int) -> RegionTargets:
    """Choose the regions of one image that enter the losses.

    Args:
        proposals: (P, 4) boxes of the RPN.
        targets: Of the image, in the batch frame.
        number: Most regions beside the teacher's proposals; at most half of them are positive.

    Returns:
        Positives (IoU >= 0.6 with an annotated box), which carry the labels of their box;
        background (IoU < 0.5 with all), only where all objects are annotated; then the teacher's K
        proposals, which carry distillation alone.
    """
    # annotated boxes are candidates too: early in training the RPN finds none of them
    candidates = torch.cat([proposals, targets.boxes])
    matched = match(
        candidates, targets.boxes, targets.is_ignored, REGION_IOU, REGION_BACKGROUND_IOU
    )

    # 1 positive, 0 background, -1 ignored; an object without an annotation is no background
    is_background = (matched == BACKGROUND) & targets.all_annotated
    labels = torch.where(matched >= 0, 1, torch.where(is_background, 0, -1))

    # what matches an ignored box (a crowd, a difficult object) has no label
    on_box = matched >= 0
    labels[on_box] = torch.where(targets.is_ignored[matched[on_box]], -1, 1)

    positive, negative = sample_balanced(labels, number)
    return RegionTargets.concatenate(
        [
            _positives(candidates[positive], matched[positive], targets),
            _unlabelled(candidates[negative], targets, is_background=True),
            _teacher_proposals(targets),
        ]
    )


def _positives(boxes: Tensor, matched: Tensor, targets: ImageTargets) -> RegionTargets:
    return RegionTargets(
        boxes=boxes,
        categories=targets.categories[matched],
        attributes=targets.attributes[matched],
        is_background=torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device),
        is_box_supervised=targets.is_box_supervised[matched],
        gt_boxes=targets.boxes[matched],
        teacher_rows=matched,
    )


def _unlabelled(boxes: Tensor, targets: ImageTargets, *, is_background: bool) -> RegionTargets:
    rows, device = len(boxes), boxes.device
    attributes = targets.attributes.shape[1]
    return RegionTargets(
        boxes=boxes,
        categories=torch.full((rows,), NO_CATEGORY, device=device),
        attributes=torch.full((rows, attributes), UNKNOWN, dtype=torch.int8, device=device),
        is_background=torch.full((rows,), is_background, device=device),
        is_box_supervised=torch.zeros(rows, dtype=torch.bool, device=device),
        gt_boxes=boxes,
        teacher_rows=torch.full((rows,), -1, device=device),
    )


def _teacher_proposals(targets: ImageTargets) -> RegionTargets:
    regions = _unlabelled(targets.proposals, targets, is_background=False)
    first = len(targets.boxes)
    regions.teacher_rows = torch.arange(first, targets.teacher_count, device=regions.boxes.device)
    return regions

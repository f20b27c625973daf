"""Regions that enter the losses."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ovarnet.losses.assignment import BACKGROUND, match, sample
from ovarnet.structures import NO_CATEGORY, UNKNOWN
from ovarnet.training.distillation.dataset import ImageTargets

REGION_IOU, REGION_BACKGROUND_IOU = 0.6, 0.5


@dataclass
class RegionTargets:
    """What each of R regions learns.

    boxes: (R, 4), where they are pooled. categories: (R,) base column or NO_CATEGORY. attributes:
    (R, A), all UNKNOWN where none is labelled. is_background: (R,) bool, no category is right.
    is_box_supervised: (R,) bool. gt_boxes: (R, 4), right where it is. teacher_rows: (R,) row of the
    teacher's answers for this IMAGE's boxes and proposals, or -1.
    """

    boxes: Tensor
    categories: Tensor
    attributes: Tensor
    is_background: Tensor
    is_box_supervised: Tensor
    gt_boxes: Tensor
    teacher_rows: Tensor


def sample_regions(found: Tensor, targets: ImageTargets, number: int) -> RegionTargets:
    """Choose the regions of one image that enter the losses.

    found: (P, 4) proposals of the RPN. Its annotated boxes are added. Positives (IoU >= 0.6) carry
    what the matched box is labelled with; background (IoU < 0.5 with all) is kept only where all
    objects are annotated. The teacher's proposals come last, for distillation alone.
    """
    candidates = torch.cat([found, targets.boxes])
    matched = match(candidates, targets.boxes, targets.is_crowd, REGION_IOU, REGION_BACKGROUND_IOU)
    labels = torch.where(
        matched >= 0, 1, torch.where((matched == BACKGROUND) & targets.all_annotated, 0, -1)
    )
    on_box = matched >= 0
    labels[on_box] = torch.where(
        targets.is_crowd[matched[on_box]], -1, 1
    )  # a crowd teaches nothing
    positive, negative = sample(labels, number)
    return join_regions(
        [
            _positives(candidates[positive], matched[positive], targets),
            _unlabelled(candidates[negative], targets, True),
            _teachers_proposals(targets),
        ]
    )


def _positives(boxes: Tensor, matched: Tensor, targets: ImageTargets) -> RegionTargets:
    nothing = torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
    return RegionTargets(
        boxes,
        targets.categories[matched],
        targets.attributes[matched],
        nothing,
        targets.is_box_supervised[matched],
        targets.boxes[matched],
        matched,
    )


def _unlabelled(boxes: Tensor, targets: ImageTargets, background: bool) -> RegionTargets:
    rows, device = len(boxes), boxes.device
    return RegionTargets(
        boxes,
        torch.full((rows,), NO_CATEGORY, device=device),
        torch.full((rows, targets.attributes.shape[1]), UNKNOWN, dtype=torch.int8, device=device),
        torch.full((rows,), background, device=device),
        torch.zeros(rows, dtype=torch.bool, device=device),
        boxes,
        torch.full((rows,), -1, device=device),
    )


def _teachers_proposals(targets: ImageTargets) -> RegionTargets:
    regions = _unlabelled(targets.proposals, targets, False)
    regions.teacher_rows = len(targets.boxes) + torch.arange(
        len(targets.proposals), device=targets.proposals.device
    )
    return regions


def join_regions(parts: list[RegionTargets]) -> RegionTargets:
    """One after the other."""
    return RegionTargets(
        *(
            torch.cat([getattr(part, field.name) for part in parts])
            for field in fields(RegionTargets)
        )
    )

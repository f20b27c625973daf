"""ImageTargets of one image, written by hand: two base attributes, one row of the teacher for each box
and proposal."""

import torch

from ovarnet.structures import UNKNOWN
from ovarnet.training.distillation.dataset import ImageTargets


def targets(
    boxes,
    categories,
    *,
    attributes=None,
    taught=None,
    crowd=None,
    proposals=(),
    annotated=True,
    rpn_supervised=True,
):
    count = len(boxes)
    return ImageTargets(
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        torch.tensor(categories, dtype=torch.int64),
        torch.full((count, 2), UNKNOWN, dtype=torch.int8)
        if attributes is None
        else torch.tensor(attributes, dtype=torch.int8),
        torch.tensor([True] * count if taught is None else taught, dtype=torch.bool),
        torch.tensor([False] * count if crowd is None else crowd, dtype=torch.bool),
        torch.tensor(proposals, dtype=torch.float32).reshape(-1, 4),
        torch.zeros(count + len(proposals), 8),
        torch.tensor(rpn_supervised),
        torch.tensor(annotated),
    )

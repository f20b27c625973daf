"""Targets of one image, written by hand."""

import torch

from ovarnet.structures import UNKNOWN
from ovarnet.training.distillation.dataset import ImageTargets


def targets(
    boxes,
    categories,
    *,
    attributes=None,
    supervised=None,
    ignored=None,
    proposals=(),
    annotated=True,
    rpn_supervised=True,
    embeddings=None,
):
    """Two base attributes; one embedding of the teacher for each box and proposal."""
    count = len(boxes)
    unknown = torch.full((count, 2), UNKNOWN, dtype=torch.int8)
    return ImageTargets(
        boxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        categories=torch.tensor(categories, dtype=torch.int64),
        attributes=unknown if attributes is None else torch.tensor(attributes, dtype=torch.int8),
        is_box_supervised=torch.tensor(supervised or [True] * count, dtype=torch.bool),
        is_ignored=torch.tensor(ignored or [False] * count, dtype=torch.bool),
        proposals=torch.tensor(proposals, dtype=torch.float32).reshape(-1, 4),
        teacher_crops=None,
        teacher_embeddings=(
            torch.zeros(count + len(proposals), 8) if embeddings is None else embeddings
        ),
        rpn_supervised=rpn_supervised,
        all_annotated=annotated,
    )

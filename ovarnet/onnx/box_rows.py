"""Box operations on a fixed number of rows per image, which graphs for export need.

N images, M candidates of an image. Boxes are xyxy.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.models.detection._utils import BoxCoder
from torchvision.ops import nms

UNUSED = -1.0
"""Score of a row that holds no box; real scores lie in [0, 1]."""


@torch.library.custom_op("ovarnet::kept_by_nms", mutates_args=())
def kept_by_nms(boxes: Tensor, scores: Tensor, iou: float) -> Tensor:
    """Mark the boxes of each image that non-maximum suppression keeps.

    It is an operator of its own because torchvision's returns as many indices as are kept, a shape
    that depends on the data, and takes one image at a time. In ONNX it becomes NonMaxSuppression.

    Args:
        boxes: (N, M, 4).
        scores: (N, M); rows with `UNUSED` take no part.
        iou: of boxes that overlap by more, the one with the best score is kept.

    Returns:
        (N, M) bool, False for unused rows.
    """
    kept = torch.zeros_like(scores, dtype=torch.bool)
    for image in range(len(boxes)):
        used = (scores[image] >= 0).nonzero().flatten()
        kept[image, used[nms(boxes[image, used], scores[image, used], iou)]] = True
    return kept


@kept_by_nms.register_fake
def _(boxes: Tensor, scores: Tensor, iou: float) -> Tensor:  # noqa: ARG001
    return torch.empty_like(scores, dtype=torch.bool)


def suppressed(boxes: Tensor, scores: Tensor, iou: float) -> Tensor:
    """Scores (N, M) with `UNUSED` for boxes that non-maximum suppression drops."""
    return torch.where(kept_by_nms(boxes, scores, iou), scores, UNUSED)


def best(boxes: Tensor, scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The `count` boxes with the best scores, best first; unused rows where there are fewer.

    Args:
        boxes: (N, M, 4).
        scores: (N, M).
        count: of rows returned.

    Returns:
        Boxes (N, count, 4) and scores (N, count).
    """
    images = boxes.shape[0]
    # rows to choose where M < count; shapes then never depend on M
    boxes = torch.cat([boxes, boxes.new_zeros(images, count, 4)], dim=1)
    scores = torch.cat([scores, scores.new_full((images, count), UNUSED)], dim=1)
    scores, rows = scores.topk(count, dim=1)
    return boxes.gather(1, rows[:, :, None].expand(-1, -1, 4)), scores


def clip_to_sizes(boxes: Tensor, sizes: Tensor) -> Tensor:
    """Clip boxes (N, M, 4) to images of height and width `sizes` (N, 2)."""
    limits = sizes.flip(1).repeat(1, 2)[:, None].to(boxes)
    return torch.minimum(boxes.clamp(min=0), limits)


def without_small(boxes: Tensor, scores: Tensor, side: float) -> Tensor:
    """Scores (N, M) with `UNUSED` for boxes (N, M, 4) with a side below `side`."""
    is_large = ((boxes[..., 2:] - boxes[..., :2]) >= side).all(dim=-1)
    return torch.where(is_large, scores, UNUSED)


def decoded(coder: BoxCoder, deltas: Tensor, boxes: Tensor) -> Tensor:
    """Apply box deltas (N, M, 4) to boxes (N, M, 4)."""
    return coder.decode_single(deltas.flatten(0, 1), boxes.flatten(0, 1)).view_as(deltas)

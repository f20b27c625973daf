"""What OvarNet's RPN and box stage select, with a fixed number of boxes per image.

The steps are those of torchvision's `RegionProposalNetwork.filter_proposals` and of our
`BoxStage.postprocess_detections`, which return as many rows as there are boxes. Here rows
without a box have the score `UNUSED`, so shapes depend on the sizes of the inputs alone.

N images, M anchors, R boxes of an image. Boxes are in pixels of the batch's images.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ovarnet.modeling.box_stage import SMALLEST_SIDE, BoxStage
from ovarnet.modeling.box_voting import vote
from ovarnet.modeling.rpn import RegionProposalNetwork
from ovarnet.onnx.box_rows import (
    UNUSED,
    best,
    clip_to_sizes,
    decoded,
    suppressed,
    without_small,
)


def propose(
    rpn: RegionProposalNetwork, maps: Mapping[str, Tensor], sizes: Tensor
) -> tuple[Tensor, Tensor]:
    """As `RegionProposalNetwork.propose`.

    Args:
        rpn: in evaluation mode.
        maps: the feature pyramid of N images.
        sizes: (N, 2) height and width of each image without padding.

    Returns:
        Boxes (N, R, 4) and objectness (N, R), best first; R is the RPN's limit after NMS.
    """
    found = rpn(maps)
    levels = zip(
        found.anchors.split(found.per_map),
        found.deltas.split(found.per_map, dim=1),
        found.logits.split(found.per_map, dim=1),
        strict=True,
    )

    # each map by itself: boxes of different maps never suppress each other
    boxes, scores = [], []
    for anchors, deltas, logits in levels:
        level_boxes = decoded(
            rpn.box_coder, deltas.float(), anchors.expand(deltas.shape[0], -1, -1)
        )
        level_boxes, level_scores = best(level_boxes, logits.float().sigmoid(), rpn.pre_nms_top_n())
        level_boxes = clip_to_sizes(level_boxes, sizes)
        level_scores = without_small(level_boxes, level_scores, rpn.min_size)
        boxes.append(level_boxes)
        scores.append(suppressed(level_boxes, level_scores, rpn.nms_thresh))
    return best(torch.cat(boxes, dim=1), torch.cat(scores, dim=1), rpn.post_nms_top_n())


def refine(
    stage: BoxStage, maps: Mapping[str, Tensor], boxes: Tensor, scores: Tensor, sizes: Tensor
) -> tuple[Tensor, Tensor]:
    """As `BoxStage.forward`.

    Args:
        stage: its `box_roi_pool` is a `FixedRoiAlign`.
        maps: the feature pyramid of N images.
        boxes: (N, R, 4).
        scores: (N, R), of which only `UNUSED` counts.
        sizes: as in `propose`.

    Returns:
        Boxes (N, R', 4) and objectness (N, R'), best first; R' is the stage's limit.
    """
    cells = stage.box_roi_pool(maps, [boxes.flatten(0, 1)], [])
    logits, deltas = stage.box_predictor(stage.box_head(cells))

    # the second column and the last four numbers belong to the one foreground class
    found = logits.softmax(dim=-1)[:, 1].view_as(scores)
    boxes = decoded(stage.box_coder, deltas[:, 4:].reshape_as(boxes), boxes)

    boxes = clip_to_sizes(boxes, sizes)
    found = torch.where((scores >= 0) & (found > stage.score_thresh), found, UNUSED)
    found = without_small(boxes, found, SMALLEST_SIDE)
    kept, scores = best(boxes, suppressed(boxes, found, stage.nms_thresh), stage.detections_per_img)
    return vote(kept, boxes, found), scores

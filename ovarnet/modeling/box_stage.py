"""The second, class-agnostic stage of a detector: proposals of an RPN scored and refined once more.

It is the region head of the offline proposer (method section 2.1) on torchvision's parts. OvarNet
may have one between its RPN and its region embeddings, so that few regions need to be embedded.

N images, R proposals. Boxes are in pixels of the batch's images.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.ops import clip_boxes_to_image, nms

from ovarnet.modeling.box_voting import vote
from ovarnet.modeling.roi_heads import ROI_SIZE, roi_pool

FOREGROUND_IOU = 0.5
POSITIVE_FRACTION = 0.25
DELTA_WEIGHTS = (10.0, 10.0, 5.0, 5.0)
SMALLEST_SIDE = 1e-2
"""Of a box that is returned, pixels, as in torchvision."""


class BoxStage(RoIHeads):
    """torchvision's region head with one foreground class, whose boxes are voted on after NMS.

    It is always in evaluation mode.

    Args:
        channels: of the maps.
        strides: name -> stride of the maps that regions are pooled from, finest first.
        width: of the two shared layers.
        canonical_size: side of a box that is pooled from stride 16, pixels.
        score_threshold: lowest objectness of a box that is returned.
        nms_iou: of the boxes that are returned.
        limit: most boxes of an image.
    """

    def __init__(
        self,
        channels: int,
        strides: Mapping[str, int],
        *,
        width: int,
        canonical_size: int = 224,
        score_threshold: float = 0.01,
        nms_iou: float = 0.6,
        limit: int = 100,
    ):
        super().__init__(
            box_roi_pool=roi_pool(strides, canonical_size),
            box_head=TwoMLPHead(channels * ROI_SIZE**2, width),
            box_predictor=FastRCNNPredictor(width, num_classes=2),
            fg_iou_thresh=FOREGROUND_IOU,
            bg_iou_thresh=FOREGROUND_IOU,
            batch_size_per_image=1,
            positive_fraction=POSITIVE_FRACTION,
            bbox_reg_weights=DELTA_WEIGHTS,
            score_thresh=score_threshold,
            nms_thresh=nms_iou,
            detections_per_img=limit,
        )
        self.eval()

    @torch.no_grad()
    def forward(
        self, maps: Mapping[str, Tensor], proposals: list[Tensor], sizes: list[tuple[int, int]]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Score and refine proposals.

        Args:
            maps: of N images.
            proposals: N tensors (R, 4); R may be 0.
            sizes: height and width of each image without padding.

        Returns:
            Boxes (R', 4) and objectness (R',) in [0, 1] of each image, best first, after NMS and
            box voting.
        """
        found, _ = super().forward(dict(maps), [boxes.float() for boxes in proposals], sizes)
        return [one["boxes"] for one in found], [one["scores"] for one in found]

    def postprocess_detections(
        self,
        class_logits: Tensor,
        box_regression: Tensor,
        proposals: list[Tensor],
        image_shapes: list[tuple[int, int]],
    ) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Select boxes, as torchvision does, and vote.

        Args:
            class_logits: (all R, 2), background first.
            box_regression: (all R, 8), deltas of both.
            proposals: N tensors (R, 4).
            image_shapes: height and width of each image without padding.

        Returns:
            For each image boxes (R', 4), scores (R',) best first, and labels (R',), all 1.
        """
        counts = [len(rows) for rows in proposals]
        boxes = self.box_coder.decode(box_regression, proposals)[:, 1].split(counts)
        scores = class_logits.softmax(dim=-1)[:, 1].split(counts)
        chosen = [
            self._select(clip_boxes_to_image(rows, shape), found)
            for rows, found, shape in zip(boxes, scores, image_shapes, strict=True)
        ]
        labels = [
            torch.ones(len(rows), dtype=torch.int64, device=rows.device) for rows, _ in chosen
        ]
        return [rows for rows, _ in chosen], [found for _, found in chosen], labels

    def _select(self, boxes: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        sides = boxes[:, 2:] - boxes[:, :2]
        used = (scores > self.score_thresh) & (sides >= SMALLEST_SIDE).all(dim=1)
        boxes, scores = boxes[used], scores[used]
        kept = nms(boxes, scores, self.nms_thresh)[: self.detections_per_img]
        return vote(boxes[kept][None], boxes[None], scores[None])[0], scores[kept]

    def train(self, mode: bool = True) -> BoxStage:  # noqa: ARG002 (it is never trained here)
        """Stay in evaluation mode: its weights are those of a proposer."""
        return super().train(False)

"""The class-agnostic region proposal network of OvarNet (method section 5), on torchvision's parts.

N images, M anchors of an image (all maps), R proposals. Boxes are in pixels of the batch's images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.models.detection import rpn as torchvision_rpn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList

ANCHOR_RATIOS = (0.5, 1.0, 2.0)
FOREGROUND_IOU, BACKGROUND_IOU = 0.6, 0.3
NMS_IOU = 0.7
BATCH_SIZE_PER_IMAGE, POSITIVE_FRACTION = 256, 0.5


class AnchorPredictions(NamedTuple):
    """Raw outputs of the network for a batch.

    Args:
        anchors: (M, 4), the same for all images of the batch.
        logits: (N, M) objectness.
        deltas: (N, M, 4).
        per_map: anchors of each map, M in all.
    """

    anchors: Tensor
    logits: Tensor
    deltas: Tensor
    per_map: list[int]


class StatedStrides(AnchorGenerator):
    """torchvision's anchors on maps whose strides are stated.

    torchvision divides the image by the map, which is not the stride where a map was rounded up.

    Args:
        sizes: in pixels, for each map.
        strides: of the maps, finest first.
    """

    def __init__(self, sizes: Sequence[Sequence[float]], strides: Sequence[int]):
        super().__init__(tuple(map(tuple, sizes)), (ANCHOR_RATIOS,) * len(sizes))
        self.strides = tuple(strides)

    def of_maps(self, maps: Sequence[Tensor]) -> Tensor:
        """(M, 4) float32, the anchors of every image of a batch."""
        device = maps[0].device
        self.set_cell_anchors(torch.float32, device)
        strides = [[torch.tensor(stride, device=device)] * 2 for stride in self.strides]
        return torch.cat(self.grid_anchors([list(level.shape[-2:]) for level in maps], strides))

    def forward(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        """Anchors of each image; torchvision's RPN calls it."""
        return [self.of_maps(feature_maps)] * len(image_list.image_sizes)


class RegionProposalNetwork(torchvision_rpn.RegionProposalNetwork):
    """torchvision's RPN on maps whose strides are stated.

    Args:
        channels: of the maps.
        strides: name -> stride of the maps that carry anchors, finest first.
        anchor_sizes: sizes in pixels, for each map.
        pre_nms: proposals kept of each map before NMS, in (training, evaluation).
        post_nms: proposals kept of each image after NMS, in (training, evaluation).
        convolutions: of the part shared by objectness and deltas.
    """

    def __init__(
        self,
        channels: int,
        strides: Mapping[str, int],
        anchor_sizes: Sequence[Sequence[float]],
        *,
        pre_nms: tuple[int, int],
        post_nms: tuple[int, int],
        convolutions: int = 2,
    ):
        anchors = StatedStrides(anchor_sizes, tuple(strides.values()))
        head = torchvision_rpn.RPNHead(
            channels, anchors.num_anchors_per_location()[0], conv_depth=convolutions
        )
        super().__init__(
            anchors,
            head,
            fg_iou_thresh=FOREGROUND_IOU,
            bg_iou_thresh=BACKGROUND_IOU,
            batch_size_per_image=BATCH_SIZE_PER_IMAGE,
            positive_fraction=POSITIVE_FRACTION,
            pre_nms_top_n=dict(zip(("training", "testing"), pre_nms, strict=True)),
            post_nms_top_n=dict(zip(("training", "testing"), post_nms, strict=True)),
            nms_thresh=NMS_IOU,
        )
        self.strides = dict(strides)

    def forward(self, maps: Mapping[str, Tensor]) -> AnchorPredictions:
        """Predict objectness and deltas of every anchor.

        Args:
            maps: name -> map (N, channels, H / stride, W / stride), with all names of `strides`.
        """
        levels = [maps[name] for name in self.strides]
        logits, deltas = self.head(levels)
        per_map = [level[0].numel() for level in logits]
        images = levels[0].shape[0]
        logits, deltas = torchvision_rpn.concat_box_prediction_layers(logits, deltas)
        return AnchorPredictions(
            self.anchor_generator.of_maps(levels),
            logits.reshape(images, -1),
            deltas.reshape(images, -1, 4),
            per_map,
        )

    @torch.no_grad()
    def propose(
        self, predictions: AnchorPredictions, sizes: list[tuple[int, int]]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Select proposals; in float32 whatever the precision of the predictions.

        Args:
            predictions: what `forward` returned.
            sizes: height and width of each image without padding.

        Returns:
            Boxes (R, 4) and objectness (R,) in [0, 1] of each image, best first.
        """
        images = len(predictions.logits)
        boxes = self.box_coder.decode(
            predictions.deltas.detach().float().reshape(-1, 4), [predictions.anchors] * images
        )
        return self.filter_proposals(
            boxes.reshape(images, -1, 4),
            predictions.logits.float().reshape(-1, 1),
            sizes,
            predictions.per_map,
        )

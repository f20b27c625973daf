"""The class-agnostic region proposal network of OvarNet (method section 5), from torchvision's
parts.

N images, M anchors of an image (all maps), R proposals. Boxes are in pixels of the batch's images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.rpn import (
    RegionProposalNetwork,
    RPNHead,
    concat_box_prediction_layers,
)

ANCHOR_RATIOS = (0.5, 1.0, 2.0)
NMS_IOU = 0.7


class AnchorPredictions(NamedTuple):
    """anchors: (M, 4), the same for all images of the batch. logits: (N, M) objectness. deltas: (N,
    M, 4). per_map: anchors of each map.
    """

    anchors: Tensor
    logits: Tensor
    deltas: Tensor
    per_map: list[int]


class RegionProposalNetwork(RegionProposalNetwork):
    """strides: of the maps that carry anchors, finest first. anchor_sizes: pixels of each map.
    pre_nms (per map), post_nms (per image): proposals kept in (training, evaluation). convolutions:
    of the shared part.
    """

    def __init__(
        self,
        channels: int,
        strides: Mapping[str, int],
        anchor_sizes: Sequence[Sequence[int]],
        *,
        pre_nms: tuple[int, int],
        post_nms: tuple[int, int],
        convolutions: int = 2,
    ):
        anchors = AnchorGenerator(
            tuple(map(tuple, anchor_sizes)), (ANCHOR_RATIOS,) * len(anchor_sizes)
        )
        head = RPNHead(channels, anchors.num_anchors_per_location()[0], conv_depth=convolutions)
        super().__init__(
            anchors,
            head,
            0.6,
            0.3,
            256,
            0.5,
            dict(zip(("training", "testing"), pre_nms, strict=True)),
            dict(zip(("training", "testing"), post_nms, strict=True)),
            NMS_IOU,
        )
        self.strides = dict(strides)

    def forward(self, maps: Mapping[str, Tensor]) -> AnchorPredictions:
        """maps: by name, as the pyramid gives them."""
        maps = [maps[name] for name in self.strides]
        logits, deltas = self.head(maps)
        per_map = [part[0].numel() for part in logits]
        images = len(maps[0])
        logits, deltas = concat_box_prediction_layers(logits, deltas)
        return AnchorPredictions(
            self._anchors(maps), logits.reshape(images, -1), deltas.reshape(images, -1, 4), per_map
        )

    @torch.no_grad()
    def propose(
        self, predictions: AnchorPredictions, sizes: list[tuple[int, int]]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """sizes: height and width of each image without padding. Returns boxes (R, 4) and
        objectness (R,) of each image, best first.
        """
        images = len(predictions.logits)
        boxes = self.box_coder.decode(
            predictions.deltas.detach().reshape(-1, 4), [predictions.anchors] * images
        )
        return self.filter_proposals(
            boxes.reshape(images, -1, 4),
            predictions.logits.reshape(-1, 1),
            sizes,
            predictions.per_map,
        )

    def _anchors(self, maps: list[Tensor]) -> Tensor:
        """With the strides stated: torchvision divides the image by the map, which is not the
        stride where a map was rounded up.
        """
        generator, like = self.anchor_generator, maps[0]
        generator.set_cell_anchors(like.dtype, like.device)
        strides = [
            [torch.tensor(stride, device=like.device)] * 2 for stride in self.strides.values()
        ]
        return torch.cat(generator.grid_anchors([list(part.shape[-2:]) for part in maps], strides))

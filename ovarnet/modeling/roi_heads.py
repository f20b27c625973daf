"""From feature maps and boxes to region embeddings and box deltas: RoIAlign, then one of three ways
of pooling the cells.

R regions of all images of a batch, S cells per side, C channels, D width of the joint space. Boxes
are in pixels of the batch's images. The attentional pooling of the paper is in `attention_pool`;
here are the two it is compared with.
"""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import NamedTuple

import torch
from open_clip.modified_resnet import ModifiedResNet
from torch import Tensor, nn
from torchvision.ops import MultiScaleRoIAlign

from ovarnet.errors import InputError
from ovarnet.modeling.attention_pool import delta_branch
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip.feature_maps import RESNET_STRIDES

ENLARGE = 0.05
"""As the deterministic crops of CLIP-Attr (`ovarnet.modeling.crops`)."""

LATER_STAGES = {"c4": ("layer4",), "c3": ("layer3", "layer4"), "c2": ("layer2", "layer3", "layer4")}


class Features(NamedTuple):
    """Maps of a batch by name. trunk: CLIP's own. pyramid: of one width, (N, C, H / stride, W /
    stride).
    """

    trunk: dict[str, Tensor]
    pyramid: dict[str, Tensor]


class RoiHead(nn.Module):
    """RoIAlign over the trunk's or the pyramid's maps, and a module that pools the cells.

    source: "trunk" or "pyramid". cells: (R, C, S, S) -> embeddings (R, D) and deltas (R, 4).
    square: pool the square around a box, grown as CLIP-Attr grows its crops and empty outside of
    the box as they are, instead of warping the box to a square.
    """

    def __init__(
        self, source: str, align: MultiScaleRoIAlign, cells: nn.Module, *, square: bool = False
    ):
        super().__init__()
        self.source, self.align, self.cells, self.square = source, align, cells, square

    def forward(
        self, features: Features, boxes: list[Tensor], sizes: list[tuple[int, int]]
    ) -> tuple[Tensor, Tensor]:
        """boxes: (R_i, 4) for each image. sizes: height and width of each image without padding.
        Returns the rows of all images.
        """
        if not self.square:
            return self.cells(self.align(getattr(features, self.source), boxes, sizes))
        cells = self.align(
            getattr(features, self.source), [squares_around(rows) for rows in boxes], sizes
        )
        return self.cells(cells * within_boxes(torch.cat(boxes), cells.shape[-1]))


def squares_around(boxes: Tensor) -> Tensor:
    """(R, 4) boxes -> squares about their centres whose side is the longer side grown by `ENLARGE`;
    they may reach beyond the image.
    """
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    halves = (boxes[:, 2:] - boxes[:, :2]).amax(dim=1, keepdim=True) * (1 + ENLARGE) / 2
    return torch.cat([centres - halves, centres + halves], dim=1)


def within_boxes(boxes: Tensor, size: int) -> Tensor:
    """(R, 1, size, size) float: 1 for the cells of `squares_around` that the grown box reaches, of
    which there are always some; else 0.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    reach = (sides / sides.amax(dim=1, keepdim=True)).clamp(
        min=1e-3
    )  # (R, 2), half sides in halves of the square
    away = (
        (torch.arange(size, device=boxes.device) + 0.5) * 2 / size - 1
    ).abs() - 1 / size  # of each cell's nearer edge
    wide, high = (away < reach[:, :, None]).unbind(dim=1)
    return (high[:, :, None] & wide[:, None, :])[:, None].to(boxes)


class AveragePool(nn.Module):
    """Three stride-2 convolutions, the mean over what is left, and one linear map: no attention
    (the paper's alternative).
    """

    def __init__(self, channels: int, embed_dim: int, *, width: int = 512):
        super().__init__()
        self.embed_dim = embed_dim
        widths = (channels, width, width, width)
        self.body = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
                    nn.GroupNorm(8, after),
                    nn.ReLU(),
                )
                for before, after in pairwise(widths)
            )
        )
        self.embedding, self.deltas = nn.Linear(width, embed_dim), delta_branch(width)

    def forward(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        if not len(cells):
            return cells.new_zeros(0, self.embed_dim), cells.new_zeros(0, 4)
        pooled = self.body(cells).mean(dim=(2, 3))
        return self.embedding(pooled), self.deltas(pooled)


class ClipStages(nn.Module):
    """CLIP's own later stages and attention pool, on cells of `source`: what the crop of the box
    would meet in the image tower.

    source: map that regions are pooled from; "c4" leaves the last stage to the head, as in the
    paper's alternative, "c2" three of them, which costs more and starts nearer to CLIP where
    objects are small. Needs cells of CLIP's own width: `size` per side. ResNets only.
    """

    def __init__(self, clip: Clip, source: str = "c4"):
        super().__init__()
        visual = clip.model.visual
        if not isinstance(visual, ModifiedResNet):
            raise InputError(
                f"the head 'clip' reuses the last stages of a CLIP ResNet and {clip.name} is none; "
                "choose attention or average"
            )
        if source not in LATER_STAGES:
            raise InputError(f"design.clip_source is '{source}'; choose {', '.join(LATER_STAGES)}")
        self.stride = RESNET_STRIDES[source]
        self.size = clip.image_size // self.stride
        self.embed_dim = clip.embed_dim
        self.stages = nn.Sequential(
            *(copy.deepcopy(getattr(visual, name)) for name in LATER_STAGES[source])
        )
        self.pool = copy.deepcopy(visual.attnpool)
        self.requires_grad_(True)
        self.deltas = delta_branch(self.stages[-1][-1].conv3.out_channels)

    def forward(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        if not len(cells):
            return cells.new_zeros(0, self.embed_dim), cells.new_zeros(0, 4)
        features = self.stages(cells)
        return self.pool(features), self.deltas(features.mean(dim=(2, 3)))

    def train(self, mode: bool = True) -> ClipStages:
        """Its BatchNorm keeps CLIP's statistics."""
        super().train(mode)
        self.stages.eval()
        return self

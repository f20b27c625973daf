"""From feature maps and boxes to region embeddings and box deltas.

RoIAlign, then one of three ways of pooling the cells. The attentional pooling of the paper is in
`attention_pool`; here are the two it is compared with.

R regions of all images of a batch, S cells per side, C channels, D width of the joint space. Boxes
are in pixels of the batch's images.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from open_clip.modified_resnet import ModifiedResNet
from torch import Tensor, nn
from torchvision.ops import MultiScaleRoIAlign
from torchvision.ops.poolers import LevelMapper

from ovarnet.errors import InputError
from ovarnet.modeling.attention_pool import delta_branch
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip.feature_maps import RESNET_STRIDES, feature_channels

ENLARGE = 0.05
"""As the deterministic crops of CLIP-Attr (`ovarnet.modeling.crops`)."""

ROI_SIZE = 7
SAMPLING_RATIO = 2

LATER_STAGES = {"c4": ("layer4",), "c3": ("layer3", "layer4"), "c2": ("layer2", "layer3", "layer4")}


class Features(NamedTuple):
    """Maps of a batch by name.

    Args:
        trunk: CLIP's own maps.
        pyramid: maps of one width, (N, C, H / stride, W / stride).
    """

    trunk: dict[str, Tensor]
    pyramid: dict[str, Tensor]


class RoiHead(nn.Module):
    """RoIAlign over maps, and a module that pools the cells.

    Args:
        source: which maps are pooled from.
        align: RoIAlign with the strides of these maps, see `roi_pool`.
        cells: cells (R, C, S, S) -> embeddings (R, D) and deltas (R, 4).
        square: pool the square around a box, grown as CLIP-Attr grows its crops and empty outside
            of the box as they are, instead of warping the box to a square.
    """

    def __init__(
        self,
        source: Literal["trunk", "pyramid"],
        align: MultiScaleRoIAlign,
        cells: nn.Module,
        *,
        square: bool = False,
    ):
        super().__init__()
        self.source = source
        self.align = align
        self.cells = cells
        self.square = square

    def forward(
        self, features: Features, boxes: list[Tensor], sizes: list[tuple[int, int]]
    ) -> tuple[Tensor, Tensor]:
        """Pool boxes of a batch.

        Args:
            features: maps of N images.
            boxes: N tensors (R_i, 4); R_i may be 0.
            sizes: height and width of each image without padding.

        Returns:
            Embeddings (R, D), not L2-normalised, and deltas (R, 4), of the boxes of all images.
        """
        return self.cells(self.cut(features, boxes, sizes))

    def cut(self, features: Features, boxes: list[Tensor], sizes: list[tuple[int, int]]) -> Tensor:
        """The cells (R, C, S, S) of the boxes of a batch, which `cells` pools; see `forward`."""
        maps = features.trunk if self.source == "trunk" else features.pyramid
        if not self.square:
            return self.align(maps, boxes, sizes)
        cells = self.align(maps, [squares_around(rows) for rows in boxes], sizes)
        return cells * within_boxes(torch.cat(boxes), cells.shape[-1])


def roi_pool(
    strides: Mapping[str, int], canonical_size: int = 224, size: int = ROI_SIZE
) -> MultiScaleRoIAlign:
    """Build RoIAlign over named maps with their strides stated.

    Left to itself torchvision guesses the strides from the first image it ever sees and keeps the
    guess: wrong for all later images when the first one is so narrow that most of it is padding.

    Args:
        strides: name -> stride of the maps, finest first.
        canonical_size: side of a box that is pooled from stride 16, pixels.
        size: cells per side that a box is pooled to.
    """
    pool = MultiScaleRoIAlign(
        list(strides), size, sampling_ratio=SAMPLING_RATIO, canonical_scale=canonical_size
    )
    levels = [stride.bit_length() - 1 for stride in strides.values()]
    pool.scales = [1 / stride for stride in strides.values()]
    pool.map_levels = LevelMapper(
        min(levels), max(levels), canonical_scale=canonical_size, canonical_level=4
    )
    return pool


def squares_around(boxes: Tensor) -> Tensor:
    """Squares (R, 4) about the centres of boxes (R, 4).

    Their side is the longer side of the box, grown by `ENLARGE`; they may reach beyond the image.
    """
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    halves = (boxes[:, 2:] - boxes[:, :2]).amax(dim=1, keepdim=True) * (1 + ENLARGE) / 2
    return torch.cat([centres - halves, centres + halves], dim=1)


def within_boxes(boxes: Tensor, size: int) -> Tensor:
    """Mask of the cells of `squares_around` that the grown box reaches.

    Args:
        boxes: (R, 4).
        size: cells per side of a square.

    Returns:
        (R, 1, size, size), 1 for cells that the box reaches, of which there are always some, else
        0; dtype of the boxes.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    # (R, 2): half sides of the box, in halves of the square
    reach = (sides / sides.amax(dim=1, keepdim=True)).clamp(min=1e-3)
    # (size,): distance of each cell's nearer edge from the centre, in halves of the square
    away = ((torch.arange(size, device=boxes.device) + 0.5) * 2 / size - 1).abs() - 1 / size
    wide, high = (away < reach[:, :, None]).unbind(dim=1)
    return (high[:, :, None] & wide[:, None, :])[:, None].to(boxes)


class AveragePool(nn.Module):
    """Pooling without attention, the paper's alternative.

    Three stride-2 convolutions, the mean over what is left, and one linear map.

    Args:
        channels: C.
        embed_dim: D.
        width: of the convolutions.
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
        self.embedding = nn.Linear(width, embed_dim)
        self.deltas = delta_branch(width)

    def forward(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """(R, C, S, S) -> embeddings (R, D), not L2-normalised, and deltas (R, 4); R may be 0."""
        if not cells.shape[0]:
            return cells.new_zeros(0, self.embed_dim), cells.new_zeros(0, 4)
        pooled = self.body(cells).mean(dim=(2, 3))
        return self.embedding(pooled), self.deltas(pooled)


class ClipStages(nn.Module):
    """CLIP's own later stages and attention pool, as the crop of a box would pass them.

    Args:
        clip: a CLIP ResNet; its stages are copied.
        source: map that regions are pooled from; "c4" leaves the last stage to the head, as in the
            paper's alternative, "c2" three of them, which costs more and starts nearer to CLIP
            where objects are small.

    Attributes:
        stride: of the source map.
        size: S, cells per side that the stages need.
        embed_dim: D.

    Raises:
        InputError: the CLIP is no ResNet, or an unknown source.
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
        self.deltas = delta_branch(feature_channels(visual)["c5"])

    def forward(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """(R, C, S, S) -> embeddings (R, D), not L2-normalised, and deltas (R, 4); R may be 0."""
        if not cells.shape[0]:
            return cells.new_zeros(0, self.embed_dim), cells.new_zeros(0, 4)
        features = self.stages(cells)
        return self.pool(features), self.deltas(features.mean(dim=(2, 3)))

    def train(self, mode: bool = True) -> ClipStages:
        """Set the mode; BatchNorm stays in evaluation mode and keeps CLIP's statistics."""
        super().train(mode)
        self.stages.eval()
        return self

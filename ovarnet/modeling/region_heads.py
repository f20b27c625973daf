"""From feature maps and boxes to region embeddings and box deltas: RoIAlign, then one of three ways of pooling the cells.

R regions of all images of a batch, S cells per side, C channels, D width of the joint space. Boxes are in pixels of the batch's images.
The attentional pooling of the paper is in `attention_pool`; here are the two it is compared with.
"""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import NamedTuple

from open_clip.modified_resnet import ModifiedResNet
from torch import Tensor, nn
from torchvision.ops import MultiScaleRoIAlign

from ovarnet.errors import InputError
from ovarnet.modeling.attention_pool import delta_branch
from ovarnet.modeling.clip import Clip


class Features(NamedTuple):
    """Maps of a batch by name. trunk: CLIP's own. pyramid: of one width, (N, C, H / stride, W / stride)."""

    trunk: dict[str, Tensor]
    pyramid: dict[str, Tensor]


class RegionHead(nn.Module):
    """RoIAlign over the trunk's or the pyramid's maps, and a module that pools the cells.

    source: "trunk" or "pyramid". cells: (R, C, S, S) -> embeddings (R, D) and deltas (R, 4).
    """

    def __init__(self, source: str, align: MultiScaleRoIAlign, cells: nn.Module):
        super().__init__()
        self.source, self.align, self.cells = source, align, cells

    def forward(self, features: Features, boxes: list[Tensor], sizes: list[tuple[int, int]]) -> tuple[Tensor, Tensor]:
        """boxes: (R_i, 4) for each image. sizes: height and width of each image without padding. Returns the rows of all images."""
        return self.cells(self.align(getattr(features, self.source), boxes, sizes))


class AveragePool(nn.Module):
    """Three stride-2 convolutions, the mean over what is left, and one linear map: no attention (the paper's alternative)."""

    def __init__(self, channels: int, embed_dim: int, *, width: int = 512):
        super().__init__()
        self.embed_dim = embed_dim
        widths = (channels, width, width, width)
        self.body = nn.Sequential(*(nn.Sequential(nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.GroupNorm(8, after),
                                                  nn.ReLU()) for before, after in pairwise(widths)))
        self.embedding, self.deltas = nn.Linear(width, embed_dim), delta_branch(width)

    def forward(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        if not len(cells):
            return cells.new_zeros(0, self.embed_dim), cells.new_zeros(0, 4)
        pooled = self.body(cells).mean(dim=(2, 3))
        return self.embedding(pooled), self.deltas(pooled)


class ClipLastStage(nn.Module):
    """CLIP's own last stage and attention pool, on cells of C4: what the crop of the box would meet in the image tower.

    It starts as good as CLIP is and needs cells of CLIP's own width: `size` per side, from the trunk's C4. CLIP ResNets only.
    """

    def __init__(self, clip: Clip):
        super().__init__()
        visual = clip.model.visual
        if not isinstance(visual, ModifiedResNet):
            raise InputError(f"the head 'clip' reuses the last stage of a CLIP ResNet and {clip.name} is none; choose attention or average")
        self.size = clip.image_size // 16
        self.embed_dim = clip.embed_dim
        self.stage, self.pool = copy.deepcopy(visual.layer4), copy.deepcopy(visual.attnpool)
        self.requires_grad_(True)
        self.deltas = delta_branch(self.stage[-1].conv3.out_channels)

    def forward(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        if not len(cells):
            return cells.new_zeros(0, self.embed_dim), cells.new_zeros(0, 4)
        features = self.stage(cells)
        return self.pool(features), self.deltas(features.mean(dim=(2, 3)))

    def train(self, mode: bool = True) -> ClipLastStage:
        """Its BatchNorm keeps CLIP's statistics."""
        super().train(mode)
        self.stage.eval()
        return self

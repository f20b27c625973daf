"""Region embeddings of a photo CLIP: its own last stages on regions of the whole image's maps.

R regions of all images of a batch, S cells per side, F and M as in `concept_tower`, D the joint
embedding width.
"""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import MultiScaleRoIAlign

from ovarnet.errors import InputError
from ovarnet.modeling.attention_pool import delta_branch
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip.concept_tower import (
    MID_CELLS,
    MID_STAGES,
    STAGES,
    ConceptTower,
    CropFeatures,
    pool_mid,
)
from ovarnet.modeling.clip.feature_maps import RESNET_STRIDES
from ovarnet.modeling.roi_heads import Features, RoiHead

SOURCE = "c4"


class ConceptRoiHead(RoiHead):
    """RoIAlign over the mid-level maps, all brought to stride 16.

    A crop's mid-level features are averages over its cells. Averaged to one stride first, the maps
    of the whole image give the same with one RoIAlign.

    Args:
        align: RoIAlign of one map, c4.
        cells: pools the cells.
        square: see `RoiHead`.
    """

    def __init__(self, align: MultiScaleRoIAlign, cells: ConceptStages, *, square: bool):
        super().__init__("trunk", align, cells, square=square)

    def cut(self, features: Features, boxes: list[Tensor], sizes: list[tuple[int, int]]) -> Tensor:
        """See `RoiHead.cut`."""
        joined = Features({SOURCE: joined_maps(features.trunk)}, features.pyramid)
        return super().cut(joined, boxes, sizes)


class ConceptStages(nn.Module):
    """The trunk's stages after c4, its pooling, and the head of the image tower.

    The stages are frozen: what they learned from ImageNet about objects without a box in training
    would be forgotten.

    Args:
        clip: a `ConceptClip`; what is used of its image tower is copied.
        size: S; a crop has 14 cells at that stage, fewer are faster.

    Raises:
        InputError: the CLIP is of another kind.
    """

    def __init__(self, clip: Clip, size: int):
        super().__init__()
        tower = clip.model.visual
        if not isinstance(tower, ConceptTower):
            raise InputError(
                f"{clip.name} has no concepts; its region head is attention, average or clip"
            )
        tower = copy.deepcopy(tower)
        tower.trunk.requires_grad_(False)
        tower.head.requires_grad_(True)
        self.size, self.embed_dim = size, clip.embed_dim
        self.channels = [tower.trunk.channels[stage] for stage in MID_STAGES]
        net = tower.trunk.net
        self.stages = nn.Sequential(*net.blocks[STAGES[SOURCE] + 1 :])
        self.pool = nn.Sequential(net.conv_head, net.bn2)
        self.classifier = net.classifier
        self.head = tower.head
        self.deltas = delta_branch(tower.trunk.features)

    def forward(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """(R, c2 + c3 + c4 channels, S, S) -> embeddings (R, D) and deltas (R, 4); R may be 0."""
        if not cells.shape[0]:
            return cells.new_zeros(0, self.embed_dim), cells.new_zeros(0, 4)
        features = self.features(cells)
        embeddings = self.head(features, self.classifier(features.pooled))
        return embeddings, self.deltas(features.pooled)

    def features(self, cells: Tensor) -> CropFeatures:
        """(R, c2 + c3 + c4 channels, S, S) -> what `ConceptTower.crop_features` gives for crops."""
        pooled = self.pool(self.stages(cells[:, -self.channels[-1] :])).mean(dim=(2, 3))
        return CropFeatures(pooled, pool_mid(F.adaptive_avg_pool2d(cells, MID_CELLS)))

    def train(self, mode: bool = True) -> ConceptStages:
        """Set the mode; BatchNorm keeps ImageNet's statistics."""
        super().train(mode)
        self.stages.eval()
        self.pool.eval()
        return self


def joined_maps(trunk: dict[str, Tensor]) -> Tensor:
    """Maps c2, c3, c4 -> one map (N, c2 + c3 + c4 channels, H / 16, W / 16)."""
    stride = RESNET_STRIDES[SOURCE]
    maps = []
    for stage in MID_STAGES:
        factor = stride // RESNET_STRIDES[stage]
        maps.append(F.avg_pool2d(trunk[stage], factor) if factor > 1 else trunk[stage])
    return torch.cat(maps, dim=1)

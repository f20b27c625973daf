"""A feature pyramid on CLIP's ModifiedResNet: the backbone of detectors that start from a CLIP image tower."""

from __future__ import annotations

import copy

from torch import Tensor, nn
from torchvision.ops import FeaturePyramidNetwork

from ovarnet.modeling.clip import Clip
from ovarnet.modeling.feature_maps import feature_channels, feature_maps, feature_strides


class ClipPyramid(nn.Module):
    """Stages C2..C5 of a CLIP ResNet, brought to one width and added top-down (FPN).

    trunk: its own copy of the image tower, without the attention pool, so that training it leaves the CLIP as it was.
    forward: CLIP-normalised pixels (N, 3, H, W) -> {"c2": (N, channels, H/4, W/4), ..., "c5": .../32}.
    out_channels, strides: what torchvision's detectors and the RoI pooling want to know.
    """

    def __init__(self, clip: Clip, channels: int):
        super().__init__()
        self.strides = feature_strides(clip.model.visual)
        widths = feature_channels(clip.model.visual)
        self.trunk = copy.deepcopy(clip.model.visual)
        self.trunk.attnpool = None
        self.trunk.requires_grad_(True)     # a frozen CLIP would hand on its frozen parameters
        self.fpn = FeaturePyramidNetwork(list(widths.values()), channels)
        self.out_channels = channels

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        return self.fpn(feature_maps(self.trunk, pixels))

"""A feature pyramid on CLIP's ModifiedResNet, the backbone of detectors on a CLIP image tower."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip.feature_maps import (
    dense_trunk,
    feature_channels,
    feature_maps,
    feature_strides,
)


class ResnetPyramid(nn.Module):
    """Stages C2..C5 of a CLIP ResNet, brought to one width and added top-down (FPN).

    Args:
        clip: its image tower is copied, without the attention pool, so that training the copy
            leaves the CLIP as it was.
        channels: width of the pyramid.
        finest: stage that the pyramid starts from; "c3" leaves out stride 4, where most of the
            work of a pyramid and an RPN is done.
        coarser: add a map "pool" of twice the stride of C5, every other cell of it, for the
            largest anchors.

    Attributes:
        trunk: the copy of the image tower.
        out_channels: as `channels`; torchvision's detectors read it.
        strides: name -> stride of the stages used, finest first.
        all_strides: the same, with "pool".
    """

    trunk: Any  # an open_clip tower, whose parts have no types

    def __init__(self, clip: Clip, channels: int, *, finest: str = "c2", coarser: bool = False):
        super().__init__()
        visual = clip.model.visual
        strides, widths = feature_strides(visual), feature_channels(visual)
        self.strides = {
            name: stride for name, stride in strides.items() if stride >= strides[finest]
        }
        self.all_strides = {**self.strides, "pool": 2 * strides["c5"]} if coarser else self.strides
        self.trunk = dense_trunk(visual)
        self.fpn = FeaturePyramidNetwork(
            [widths[name] for name in self.strides],
            channels,
            LastLevelMaxPool() if coarser else None,
        )
        self.out_channels = channels

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        """CLIP-normalised pixels (N, 3, H, W) -> {"c2": (N, channels, H/4, W/4), ...}."""
        return self.pyramid(self.trunk_maps(pixels))

    def trunk_maps(self, pixels: Tensor) -> dict[str, Tensor]:
        """CLIP-normalised pixels (N, 3, H, W) -> CLIP's own maps, of CLIP's widths."""
        return feature_maps(self.trunk, pixels)

    def pyramid(self, maps: dict[str, Tensor]) -> dict[str, Tensor]:
        """What `trunk_maps` returned -> the maps of the pyramid."""
        return self.fpn({name: maps[name] for name in self.strides})

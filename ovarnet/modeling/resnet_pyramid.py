"""A feature pyramid on CLIP's ModifiedResNet: the backbone of detectors that start from a CLIP
image tower.
"""

from __future__ import annotations

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

    trunk: its own copy of the image tower, without the attention pool, so that training it leaves
    the CLIP as it was. finest: stage that the pyramid starts from; "c3" leaves out stride 4, where
    most of a pyramid's and an RPN's work is done. coarser: add a map "pool" of twice the stride of
    C5, every other cell of it, for the largest anchors. forward: CLIP-normalised pixels (N, 3, H,
    W) -> {"c2": (N, channels, H/4, W/4), ..., "c5": .../32}. out_channels, strides (of C2..C5 as
    far as used), all_strides (with "pool"): what detectors and the RoI pooling want to know.
    """

    def __init__(self, clip: Clip, channels: int, *, finest: str = "c2", coarser: bool = False):
        super().__init__()
        strides, widths = feature_strides(clip.model.visual), feature_channels(clip.model.visual)
        self.strides = {
            name: stride for name, stride in strides.items() if stride >= strides[finest]
        }
        self.all_strides = {**self.strides, "pool": 2 * strides["c5"]} if coarser else self.strides
        self.trunk = dense_trunk(clip.model.visual)
        self.fpn = FeaturePyramidNetwork(
            [widths[name] for name in self.strides],
            channels,
            LastLevelMaxPool() if coarser else None,
        )
        self.out_channels = channels

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        return self.pyramid(self.trunk_maps(pixels))

    def trunk_maps(self, pixels: Tensor) -> dict[str, Tensor]:
        """CLIP's own maps, of CLIP's widths."""
        return feature_maps(self.trunk, pixels)

    def pyramid(self, maps: dict[str, Tensor]) -> dict[str, Tensor]:
        """What `trunk_maps` gave -> the maps of the pyramid."""
        return self.fpn({name: maps[name] for name in self.strides})

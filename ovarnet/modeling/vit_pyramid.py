"""A plain CLIP ViT as a detection backbone: ViTDet's simple feature pyramid (arXiv 2203.16527).

N images, H x W pixels. With windows, attention stays within squares of the map in most blocks, so
that the cost grows with the number of patches and not with its square.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.convnext import LayerNorm2d

from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip.feature_maps import (
    embed_patches,
    feature_channels,
    feature_maps,
    feature_strides,
    pad_to_multiple,
)

PATCH_SIZE = 16
STRIDES = {"p2": 4, "p3": 8, "p4": 16, "p5": 32}
GLOBAL_BLOCKS = 2
"""Blocks with attention over the whole image, evenly spread, the last block among them. ViTDet has
4; 2 of CLIP's 12 take a twentieth less time, and with them the pass is 4 times as fast as its
teacher."""


class VitPyramid(nn.Module):
    """Maps of stride 4, 8, 16 and 32 from the one map of a CLIP ViT with patches of 16 pixels.

    Args:
        clip: its image tower is copied, without the last projection.
        channels: width of the pyramid.
        window: largest side of the attention windows in patches (14 is what CLIP saw in training
            at 224 pixels); 0: every block attends to the whole image.
        finest: "p2", or "p3" to leave out stride 4.
        coarser: add a map "pool" of stride 64.

    Attributes:
        trunk: the copy of the image tower.
        out_channels: as `channels`; torchvision's detectors read it.
        strides: name -> stride of the maps "p2" to "p5" used, finest first.
        all_strides: the same, with "pool".

    Raises:
        InputError: the CLIP has another image tower.
    """

    trunk: Any  # an open_clip tower, whose parts have no types

    def __init__(
        self,
        clip: Clip,
        channels: int,
        *,
        window: int = 0,
        finest: str = "p2",
        coarser: bool = False,
    ):
        super().__init__()
        visual = clip.model.visual
        if (
            not isinstance(visual, VisionTransformer)
            or feature_strides(visual)["last"] != PATCH_SIZE
            or visual.attn_pool is not None
        ):
            raise InputError(
                "the pyramid for plain ViTs needs a CLIP ViT with patches of 16 pixels such as "
                f"ViT-B-16; got {clip.name}"
            )
        width = feature_channels(visual)["last"]
        self.trunk = copy.deepcopy(visual)
        self.window = window
        self.out_channels = channels
        self.trunk.proj = None
        self.trunk.requires_grad_(True)  # a frozen CLIP would pass on its frozen parameters
        self.strides = {name: stride for name, stride in STRIDES.items() if name >= finest}
        self.all_strides = {**self.strides, "pool": 64} if coarser else self.strides
        self.coarser = coarser
        self.scales = nn.ModuleDict({name: _scale(name, width, channels) for name in self.strides})

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        """CLIP-normalised pixels (N, 3, H, W) -> {"p2": (N, channels, H/4, W/4), ...}."""
        return self.pyramid(self.trunk_maps(pixels))

    def trunk_maps(self, pixels: Tensor) -> dict[str, Tensor]:
        """Compute the patch tokens after the final LayerNorm.

        Args:
            pixels: CLIP-normalised (N, 3, H, W); padded to multiples of 32.

        Returns:
            {"last": (N, width, H/16, W/16)}.
        """
        pixels = pad_to_multiple(pixels, STRIDES["p5"])
        with fused_attention():
            if not self.window:
                return feature_maps(self.trunk, pixels)
            return {"last": windowed_map(self.trunk, pixels, self.window)}

    def pyramid(self, maps: dict[str, Tensor]) -> dict[str, Tensor]:
        """What `trunk_maps` returned -> the maps of the pyramid."""
        levels = {name: scale(maps["last"]) for name, scale in self.scales.items()}
        if self.coarser:
            levels["pool"] = F.max_pool2d(levels["p5"], kernel_size=1, stride=2)
        return levels


def _scale(name: str, width: int, channels: int) -> nn.Sequential:
    """The last map brought to the stride of `name`, then to `channels`."""
    up = nn.ConvTranspose2d(width, width // 2, 2, stride=2)
    up_again = nn.ConvTranspose2d(width // 2, width // 4, 2, stride=2)
    resample: dict[str, list[nn.Module]] = {
        "p2": [up, LayerNorm2d(width // 2), nn.GELU(), up_again],
        "p3": [up],
        "p4": [],
        "p5": [nn.MaxPool2d(2)],
    }
    before = {"p2": width // 4, "p3": width // 2}.get(name, width)
    return nn.Sequential(
        *resample[name],
        nn.Conv2d(before, channels, 1, bias=False),
        LayerNorm2d(channels),
        nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        LayerNorm2d(channels),
    )


@contextmanager
def fused_attention() -> Iterator[None]:
    """Switch off torch's fast path for attention, which writes out all pairs of tokens.

    The fused kernel runs instead: 0.61 s in place of 1.03 s for one block on the 3,401 tokens of an
    image of 800 x 1088, one CPU thread.
    """
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def windowed_map(visual: VisionTransformer, pixels: Tensor, window: int) -> Tensor:
    """As `feature_maps` of a ViT, with most blocks attending within windows.

    `GLOBAL_BLOCKS` blocks attend to the whole image. Every window has the class token too, as in
    CLIP's own training; where windows meet again, its copies are averaged.

    Args:
        visual: the image tower.
        pixels: CLIP-normalised (N, 3, H, W), sides multiples of the patch size.
        window: largest side of a window in patches.

    Returns:
        (N, width, H/16, W/16).
    """
    tokens, grid = embed_patches(visual, pixels)
    tokens = visual.ln_pre(tokens)
    blocks = visual.transformer.resblocks
    every = max(1, len(blocks) // GLOBAL_BLOCKS)
    for number, block in enumerate(blocks, start=1):
        tokens = (
            block(tokens) if number % every == 0 else _within_windows(block, tokens, grid, window)
        )
    return visual.ln_post(tokens[:, 1:]).transpose(1, 2).reshape(tokens.shape[0], -1, *grid)


def _within_windows(block: nn.Module, tokens: Tensor, grid: tuple[int, int], window: int) -> Tensor:
    """One block on the windows of (N, 1 + h * w, width).

    Windows at the right and lower rim start early enough to lie within the map, so there is no
    padding; patches that lie in two windows take the mean.
    """
    images, _, width = tokens.shape
    class_token, patches = tokens[:, :1], tokens[:, 1:].reshape(images, *grid, width)
    (rows, high), (columns, wide) = (_windows(length, window) for length in grid)
    corners = [(y, x) for y in rows for x in columns]

    # cut the windows, each with a copy of the class token
    cut = torch.stack(
        [patches[:, y : y + high, x : x + wide].flatten(1, 2) for y, x in corners], dim=1
    )
    windows = torch.cat(
        [class_token[:, None].expand(-1, cut.shape[1], -1, -1), cut], dim=2
    ).flatten(0, 1)
    windows = block(windows).reshape(images, -1, 1 + high * wide, width)

    # put them back, the mean where they overlap
    total, count = torch.zeros_like(patches), patches.new_zeros(1, *grid, 1)
    for place, (y, x) in enumerate(corners):
        total[:, y : y + high, x : x + wide] += windows[:, place, 1:].reshape(
            images, high, wide, width
        )
        count[:, y : y + high, x : x + wide] += 1
    return torch.cat(
        [windows[:, :, 0].mean(dim=1, keepdim=True), (total / count).flatten(1, 2)], dim=1
    )


def _windows(length: int, window: int) -> tuple[list[int], int]:
    """First cells, and the side, of the fewest windows of at most `window` that cover `length`."""
    side = math.ceil(length / math.ceil(length / window))
    return [min(start, length - side) for start in range(0, length, side)], side

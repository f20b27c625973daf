"""A plain CLIP ViT as a detection backbone: a simple feature pyramid on its last map, as in ViTDet
(arXiv 2203.16527).

N images, H x W pixels. With windows, attention stays within squares of the map in most blocks, so
that the cost grows with the number of patches and not with its square.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.convnext import LayerNorm2d

from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip.feature_maps import (
    feature_channels,
    feature_maps,
    feature_strides,
    pad_to_multiple,
    resize_position_embedding,
)

GLOBAL_BLOCKS = 2
"""Blocks with attention over the whole image, evenly spread, the last block among them. ViTDet has
4; 2 of CLIP's 12 take a twentieth less time, and with them the pass is 4 times as fast as its
teacher."""


class VitPyramid(nn.Module):
    """Maps of stride 4 (left out with finest "p3"), 8, 16 and 32 from the one map of a CLIP ViT
    with patches of 16 pixels.

    trunk: its own copy of the image tower, without the last projection. window: largest side of the
    attention windows in patches (14 is what CLIP saw in training at 224 pixels); 0: every block
    attends to the whole image. finest, coarser, forward, out_channels, strides, all_strides: as
    `ResnetPyramid`, the maps named "p2" to "p5".
    """

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
            or feature_strides(visual)["last"] != 16
            or visual.attn_pool is not None
        ):
            raise InputError(
                "the pyramid for plain ViTs needs a CLIP ViT with patches of 16 pixels such as "
                f"ViT-B-16; got {clip.name}"
            )
        width = feature_channels(visual)["last"]
        self.trunk, self.window, self.out_channels = copy.deepcopy(visual), window, channels
        self.trunk.proj = None
        self.trunk.requires_grad_(True)
        self.strides = {
            name: stride
            for name, stride in {"p2": 4, "p3": 8, "p4": 16, "p5": 32}.items()
            if name >= finest
        }
        self.all_strides = {**self.strides, "pool": 64} if coarser else self.strides
        self.coarser = coarser
        self.scales = nn.ModuleDict({name: _scale(name, width, channels) for name in self.strides})

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        return self.pyramid(self.trunk_maps(pixels))

    def trunk_maps(self, pixels: Tensor) -> dict[str, Tensor]:
        """{"last": (N, width, H/16, W/16)}, the patch tokens after the final LayerNorm. H and W are
        padded to multiples of 32.
        """
        pixels = pad_to_multiple(pixels, 32)
        with fused_attention():
            return (
                {"last": windowed_map(self.trunk, pixels, self.window)}
                if self.window
                else feature_maps(self.trunk, pixels)
            )

    def pyramid(self, maps: dict[str, Tensor]) -> dict[str, Tensor]:
        levels = {name: scale(maps["last"]) for name, scale in self.scales.items()}
        if self.coarser:
            levels["pool"] = F.max_pool2d(levels["p5"], kernel_size=1, stride=2)
        return levels


def _scale(name: str, width: int, channels: int) -> nn.Sequential:
    """The last map brought to the stride of `name`, then to `channels`."""
    up, up_again = (
        nn.ConvTranspose2d(width, width // 2, 2, stride=2),
        nn.ConvTranspose2d(width // 2, width // 4, 2, stride=2),
    )
    resample = {
        "p2": [up, LayerNorm2d(width // 2), nn.GELU(), up_again],
        "p3": [up],
        "p4": [],
        "p5": [nn.MaxPool2d(2)],
    }[name]
    before = {"p2": width // 4, "p3": width // 2}.get(name, width)
    return nn.Sequential(
        *resample,
        nn.Conv2d(before, channels, 1, bias=False),
        LayerNorm2d(channels),
        nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        LayerNorm2d(channels),
    )


@contextmanager
def fused_attention() -> Iterator[None]:
    """Torch's own short cut for attention in use writes out all pairs of tokens. Without it the
    fused kernel runs: 0.61 s in place of 1.03 s for one block on the 3,401 tokens of an image of
    800 x 1088, one CPU thread.
    """
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def windowed_map(visual: VisionTransformer, pixels: Tensor, window: int) -> Tensor:
    """As `feature_maps` of a ViT, but only `GLOBAL_BLOCKS` blocks attend to the whole image, the
    others within windows.

    Every window has the class token too, as in CLIP's own training; where windows meet again, its
    copies are averaged.
    """
    patches = visual.conv1(pixels)
    grid = tuple(patches.shape[-2:])
    position = resize_position_embedding(visual.positional_embedding, visual.grid_size, grid).to(
        patches.dtype
    )
    tokens = visual.ln_pre(
        torch.cat(
            [
                visual.class_embedding.to(patches.dtype).expand(len(patches), 1, -1),
                patches.flatten(2).transpose(1, 2),
            ],
            dim=1,
        )
        + position
    )
    blocks = visual.transformer.resblocks
    every = max(1, len(blocks) // GLOBAL_BLOCKS)
    for number, block in enumerate(blocks, start=1):
        tokens = (
            block(tokens) if number % every == 0 else _within_windows(block, tokens, grid, window)
        )
    return visual.ln_post(tokens[:, 1:]).transpose(1, 2).reshape(len(tokens), -1, *grid)


def _within_windows(block: nn.Module, tokens: Tensor, grid: tuple[int, int], window: int) -> Tensor:
    """One block on the windows of (N, 1 + h * w, width). Windows at the right and lower rim start
    early enough to lie within the map, so there is no padding; patches that lie in two windows take
    the mean.
    """
    images, _, width = tokens.shape
    class_token, patches = tokens[:, :1], tokens[:, 1:].reshape(images, *grid, width)
    (rows, high), (columns, wide) = (_windows(length, window) for length in grid)
    cut = torch.stack(
        [patches[:, y : y + high, x : x + wide].flatten(1, 2) for y in rows for x in columns], dim=1
    )
    windows = torch.cat(
        [class_token[:, None].expand(-1, cut.shape[1], -1, -1), cut], dim=2
    ).flatten(0, 1)
    windows = block(windows).reshape(images, -1, 1 + high * wide, width)
    total, count = torch.zeros_like(patches), patches.new_zeros(1, *grid, 1)
    for place, (y, x) in enumerate((y, x) for y in rows for x in columns):
        total[:, y : y + high, x : x + wide] += windows[:, place, 1:].reshape(
            images, high, wide, width
        )
        count[:, y : y + high, x : x + wide] += 1
    return torch.cat(
        [windows[:, :, 0].mean(dim=1, keepdim=True), (total / count).flatten(1, 2)], dim=1
    )


def _windows(length: int, window: int) -> tuple[list[int], int]:
    """First cells, and the side, of the fewest windows of at most `window` cells that cover
    `length`; they overlap little.
    """
    side = math.ceil(length / math.ceil(length / window))
    return [min(start, length - side) for start in range(0, length, side)], side

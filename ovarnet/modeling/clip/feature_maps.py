"""Dense maps of a CLIP image tower, which a detector uses in place of the one pooled vector.

N images, H x W pixels. Three families have such maps: OpenAI's ModifiedResNet (stages C2..C5,
without its attention pool), the EfficientNet of `concept_tower` (stages of the same strides) and
the plain ViT (the patch tokens after the last block). Towers that open_clip takes from timm
(SigLIP, EVA, ...) have none here.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F
from open_clip.modified_resnet import ModifiedResNet
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn

from ovarnet.errors import InputError
from ovarnet.modeling.clip.concept_tower import ConceptTower, EfficientNetTrunk

RESNET_STRIDES = {"c2": 4, "c3": 8, "c4": 16, "c5": 32}


def feature_strides(visual: nn.Module) -> dict[str, int]:
    """Pixels per cell of each map: c2..c5 for a ResNet, `last` for a ViT.

    Raises:
        InputError: a tower without dense maps.
    """
    if isinstance(visual, (ModifiedResNet, ConceptTower, EfficientNetTrunk)):
        return dict(RESNET_STRIDES)
    if isinstance(visual, VisionTransformer) and visual.patch_size[0] == visual.patch_size[1]:
        return {"last": visual.patch_size[0]}
    raise InputError(
        f"the image tower {type(visual).__name__} gives no dense maps; use a CLIP ResNet (RN50, "
        "...) or ViT (ViT-B-16, ...)"
    )


def feature_channels(visual: nn.Module) -> dict[str, int]:
    """Channels of each map, e.g. 256, 512, 1024, 2048 for RN50 and 768 for ViT-B-16.

    Raises:
        InputError: a tower without dense maps.
    """
    tower: Any = visual  # its parts have no types
    if isinstance(visual, ModifiedResNet):
        return {
            name: stage[-1].conv3.out_channels
            for name, stage in zip(RESNET_STRIDES, _stages(tower), strict=True)
        }
    if isinstance(visual, (ConceptTower, EfficientNetTrunk)):
        return dict(_trunk(visual).channels)
    channels: int = tower.conv1.out_channels
    return dict.fromkeys(feature_strides(visual), channels)


def feature_maps(visual: nn.Module, pixels: Tensor) -> dict[str, Tensor]:
    """Compute the dense maps.

    Images whose sides are no multiple of the largest stride are padded here, with zeros (CLIP's
    mean colour) on the right and at the bottom, so a cell (i, j) always covers pixels from
    (i * stride, j * stride) of the image given.

    Args:
        visual: the image tower.
        pixels: CLIP-normalised (N, 3, H, W), any H and W.

    Returns:
        name -> (N, channels, H' / stride, W' / stride), with H' and W' the padded sides.

    Raises:
        InputError: a tower without dense maps.
    """
    pixels = pad_to_multiple(pixels, max(feature_strides(visual).values()))
    if isinstance(visual, ModifiedResNet):
        return _resnet_maps(visual, pixels)
    if isinstance(visual, (ConceptTower, EfficientNetTrunk)):
        return _trunk(visual)(pixels)
    assert isinstance(visual, VisionTransformer)
    return {"last": _vit_map(visual, pixels)}


def dense_trunk(visual: nn.Module) -> nn.Module:
    """Copy a staged image tower without what pools its maps.

    Training the copy leaves the CLIP as it was. All of it takes gradients: a frozen CLIP would pass
    on its frozen parameters.
    """
    if isinstance(visual, ConceptTower):
        stages = copy.deepcopy(visual.trunk)
        stages.net.conv_head = stages.net.bn2 = stages.net.classifier = nn.Identity()
        return stages.requires_grad_(True)
    trunk: Any = copy.deepcopy(visual)  # open_clip gives its parts no types
    trunk.attnpool = None
    return trunk.requires_grad_(True)


def pad_to_multiple(pixels: Tensor, multiple: int) -> Tensor:
    """Pad (N, 3, H, W) with zeros on the right and at the bottom to sides `multiple` divides."""
    height, width = pixels.shape[-2:]
    below, right = -height % multiple, -width % multiple
    return F.pad(pixels, (0, right, 0, below)) if below or right else pixels


def resize_position_embedding(
    embedding: Tensor, old_grid: tuple[int, int], new_grid: tuple[int, int]
) -> Tensor:
    """Resize position embeddings to another grid of patches, as open_clip and ViTDet do.

    Args:
        embedding: (1 + h * w, width), the class token's row first.
        old_grid: h, w.
        new_grid: h', w'.

    Returns:
        (1 + h' * w', width): bicubic on the patch grid, the class token's row kept.
    """
    if old_grid == new_grid:
        return embedding
    class_row, grid_rows = embedding[:1], embedding[1:]
    grid = grid_rows.T.reshape(1, -1, *old_grid).float()
    grid = F.interpolate(grid, size=new_grid, mode="bicubic", antialias=True, align_corners=False)
    return torch.cat([class_row, grid[0].flatten(1).T.to(embedding.dtype)])


def embed_patches(visual: VisionTransformer, pixels: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """Embed the patches of images of any size, before the tower's first LayerNorm.

    Args:
        visual: the image tower.
        pixels: CLIP-normalised (N, 3, H, W), sides multiples of the patch size.

    Returns:
        Tokens (N, 1 + h * w, width), the class token first, with positions; and the grid (h, w).
    """
    patches = visual.conv1(pixels)
    grid = (patches.shape[-2], patches.shape[-1])
    position = resize_position_embedding(visual.positional_embedding, visual.grid_size, grid)
    class_token = visual.class_embedding.to(patches.dtype).expand(patches.shape[0], 1, -1)
    tokens = torch.cat([class_token, patches.flatten(2).transpose(1, 2)], dim=1)
    return tokens + position.to(tokens.dtype), grid


def _stages(visual: Any) -> tuple[Any, Any, Any, Any]:
    return visual.layer1, visual.layer2, visual.layer3, visual.layer4


def _trunk(visual: ConceptTower | EfficientNetTrunk) -> EfficientNetTrunk:
    return visual.trunk if isinstance(visual, ConceptTower) else visual


def _resnet_maps(visual: ModifiedResNet, pixels: Tensor) -> dict[str, Tensor]:
    maps, features = {}, visual.stem(pixels)
    for name, stage in zip(RESNET_STRIDES, _stages(visual), strict=True):
        features = stage(features)
        maps[name] = features
    return maps


def _vit_map(visual: VisionTransformer, pixels: Tensor) -> Tensor:
    """Patch tokens of the last block, as open_clip returns them with `output_tokens`, as a map."""
    tokens, grid = embed_patches(visual, pixels)
    tokens = visual.transformer(visual.ln_pre(visual.patch_dropout(tokens)))[:, 1:]
    # with a pooler (CoCa) the final LayerNorm belongs to the pooled vector
    if visual.attn_pool is None:
        tokens = visual.ln_post(tokens)
    return tokens.transpose(1, 2).reshape(tokens.shape[0], -1, *grid)

"""The frozen network that turns crops of a photo into features.

R crops, S side of a square crop in pixels, D width of a feature, C channels of a dense map.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import ResNet, ResNet50_Weights, resnet50

from ovarnet.checkpoint import load_checkpoint, load_weights
from ovarnet.errors import InputError
from ovarnet.io.weights_hash import weights_hash
from ovarnet.modeling.clip.clip import Clip, load_clip
from ovarnet.modeling.clip.concept_tower import ConceptTower
from ovarnet.modeling.clip.feature_maps import feature_channels, feature_maps
from ovarnet.modeling.clip.weights import read_state_dict
from ovarnet.modeling.crops import whole_pixels
from ovarnet.shipped import SHIPPED

RESNET = "resnet50"
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
FEWEST_CELLS = 7
"""Per side of the map that a captioner attends over."""
LUMA = (0.299, 0.587, 0.114)
"""Rec. 601, as Pillow's grey."""


class CropEncoder(nn.Module):
    """Crops -> features, always in evaluation mode and without gradients.

    Attributes:
        side: S.
        width: D.
        channels: C.
        digest: Names the network and its weights.
    """

    side: int
    width: int
    channels: int
    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1), persistent=False)
        self.digest = ""

    def normalise(self, crops: Tensor) -> Tensor:
        """(R, 3, S, S) in [0, 1] -> the network's input."""
        return (crops - self.mean) / self.std

    def features(self, crops: Tensor) -> Tensor:
        """(R, 3, S, S) in [0, 1] -> (R, D)."""
        raise NotImplementedError

    def cells(self, crops: Tensor) -> Tensor:
        """(R, 3, S, S) in [0, 1] -> (R, C, h, w), the coarsest map of at least 7 x 7 cells."""
        raise NotImplementedError


class ClipCrops(CropEncoder):
    """The image tower of a CLIP; its embeddings have the length sqrt(D).

    Args:
        clip: Any whose tower has dense maps.
        side: S. The pooled tower of most CLIPs takes its own input size only; the EfficientNet of
            photo CLIPs takes any.

    Raises:
        InputError: The tower takes no crops of that size.
    """

    def __init__(self, clip: Clip, side: int):
        super().__init__(tuple(clip.mean), tuple(clip.std))
        self.visual, self.side = clip.model.visual, side
        takes_any_side = isinstance(self.visual, ConceptTower)
        if not takes_any_side and side != clip.image_size:
            raise InputError(
                f"crops.side is {side}, and {clip.name} encodes crops of {clip.image_size} pixels; "
                f"set crops.side={clip.image_size}"
            )
        self.width = clip.embed_dim
        with torch.no_grad():
            found = self._map(torch.zeros(1, 3, side, side))
        self.channels = feature_channels(self.visual)[found[0]]
        self.digest = weights_hash(self.visual) + "-unit"

    @torch.no_grad()
    def features(self, crops: Tensor) -> Tensor:
        """See `CropEncoder.features`."""
        # a CLIP compares directions; the length of its embeddings, 155 in the scenes CLIP, would
        # make every step of the patch embedding a large one
        embeddings = self.visual(self.normalise(crops))
        return F.normalize(embeddings, dim=-1) * self.width**0.5

    @torch.no_grad()
    def cells(self, crops: Tensor) -> Tensor:
        """See `CropEncoder.cells`."""
        return self._map(self.normalise(crops))[1]

    def _map(self, pixels: Tensor) -> tuple[str, Tensor]:
        maps = feature_maps(self.visual, pixels)
        large = [name for name, cells in maps.items() if cells.shape[-1] >= FEWEST_CELLS]
        name = large[-1] if large else next(iter(maps))
        return name, maps[name]


class ResnetCrops(CropEncoder):
    """A ResNet of torchvision, its classifier left out.

    Args:
        network: Such as `torchvision.models.resnet50`.
        side: S.
    """

    def __init__(self, network: ResNet, side: int):
        super().__init__(IMAGENET_MEAN, IMAGENET_STD)
        self.width = self.channels = network.fc.in_features
        *layers, _, _ = network.children()
        self.trunk, self.side = nn.Sequential(*layers), side
        self.digest = weights_hash(self.trunk)

    @torch.no_grad()
    def features(self, crops: Tensor) -> Tensor:
        """See `CropEncoder.features`."""
        return self.cells(crops).mean(dim=(2, 3))

    @torch.no_grad()
    def cells(self, crops: Tensor) -> Tensor:
        """See `CropEncoder.cells`."""
        return self.trunk(self.normalise(crops))


def open_crop_encoder(network: str, side: int) -> CropEncoder:
    """Open a frozen network.

    Args:
        network: "resnet50" (torchvision's ImageNet weights, downloaded once), "resnet50:FILE" (its
            weights in a local file), or a shipped model or checkpoint folder with a CLIP in it.
        side: S.

    Returns:
        On the CPU, in evaluation mode.

    Raises:
        InputError: No such network, or its weights do not fit.
    """
    name, _, file = network.partition(":")
    if name == RESNET:
        return ResnetCrops(_resnet(file), side).eval().requires_grad_(False)
    folder = SHIPPED / network if (SHIPPED / network).is_dir() else Path(network)
    checkpoint = load_checkpoint(folder)
    if "clip" not in checkpoint.settings or not (folder / "clip.safetensors").is_file():
        raise InputError(
            f"{folder} holds no CLIP; crops.network takes {RESNET}, {RESNET}:FILE, or a checkpoint "
            "of a CLIP or CLIP-Attr"
        )
    clip = load_clip(checkpoint.settings["clip"]["name"], None, random_weights=True)
    load_weights(clip.model, checkpoint.part("clip"), folder / "clip.safetensors")
    return ClipCrops(clip.eval(), side).eval().requires_grad_(False)


def warp_boxes(image: Tensor, boxes: Tensor, side: int) -> Tensor:
    """Cut boxes and resize each to a square, whatever its aspect, as both papers do.

    Args:
        image: (3, H, W) float in [0, 1].
        boxes: (R, 4) in pixels of the image; a box without a pixel is widened to one.
        side: S.

    Returns:
        (R, 3, S, S) in [0, 1].
    """
    regions = whole_pixels(boxes, *image.shape[1:]).tolist()
    return torch.cat(
        [
            F.interpolate(
                image[None, :, y1:y2, x1:x2], (side, side), mode="bilinear", antialias=True
            )
            for x1, y1, x2, y2 in regions
        ]
    )


def grey(crops: Tensor) -> Tensor:
    """(R, 3, S, S) -> the same in grey, three equal channels."""
    luma = (crops * crops.new_tensor(LUMA).view(3, 1, 1)).sum(dim=1, keepdim=True)
    return luma.expand_as(crops)


def _resnet(file: str) -> ResNet:
    if not file:
        return resnet50(weights=ResNet50_Weights.IMAGENET1K_V2)
    network = resnet50(weights=None)
    load_weights(network, read_state_dict(Path(file)), file)
    return network

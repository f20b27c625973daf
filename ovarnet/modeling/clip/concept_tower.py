"""An image tower for photos, from an ImageNet classifier: what it is, by concepts; how it looks.

N crops, S their side, F the trunk's features (1,280), M the mid-level features, K concepts, t the
width of the text encoder, D = 2t the joint embedding width.

A classifier knows a thousand classes and a small tower trained on a few forgets them. So the
classifier stays a layer: the first half of an embedding is the mean of the text embeddings of all
concepts, weighted by their probabilities. A concept is one of ImageNet's classes or a word that was
learned from photos. The second half is learned freely: parts, materials and colours, which no class
name tells.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

STAGES = {"c2": 1, "c3": 2, "c4": 4, "c5": 6}
"""Last block of each stage; strides 4, 8, 16 and 32."""

MID_STAGES = ("c2", "c3", "c4")
MID_CELLS = 7
"""Maps of these stages are averaged to 7 x 7 cells before they are pooled."""

UNUSED = -1e4
"""Logit of a concept row that stands for no word."""


class CropFeatures(NamedTuple):
    """What the trunk gives for N crops. pooled: (N, F). mid: (N, M)."""

    pooled: Tensor
    mid: Tensor


class EfficientNetTrunk(nn.Module):
    """EfficientNet-Lite of timm, cut into stages. Its BatchNorm keeps ImageNet's statistics.

    Args:
        name: timm's name, such as "tf_efficientnet_lite2". Weights are random.
    """

    net: Any  # timm gives its parts no types

    def __init__(self, name: str):
        super().__init__()
        self.net = timm.create_model(name, pretrained=False)
        self.channels = {
            stage: _out_channels(self.net.blocks[last]) for stage, last in STAGES.items()
        }
        self.features: int = self.net.num_features

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        """Normalised pixels (N, 3, H, W) -> maps c2..c5 at strides 4, 8, 16, 32."""
        maps, x = {}, self.net.bn1(self.net.conv_stem(pixels))
        last = {block: stage for stage, block in STAGES.items()}
        for index, block in enumerate(self.net.blocks):
            x = block(x)
            if index in last:
                maps[last[index]] = x
        return maps

    def pool(self, maps: dict[str, Tensor]) -> CropFeatures:
        """Maps of square crops -> features of the classifier and of mid-level maps."""
        pooled = self.net.bn2(self.net.conv_head(maps["c5"])).mean(dim=(2, 3))
        cells = [F.adaptive_avg_pool2d(maps[stage], MID_CELLS) for stage in MID_STAGES]
        return CropFeatures(pooled, pool_mid(torch.cat(cells, dim=1)))

    def train(self, mode: bool = True) -> EfficientNetTrunk:
        """BatchNorm stays in evaluation mode."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, _BatchNorm):
                module.eval()
        return self


class ConceptHead(nn.Module):
    """From a crop's features to its embedding.

    Args:
        features: F.
        mid: M.
        classes: ImageNet's classes, the first concepts.
        learned: rows for words learned from photos; unused ones have probability 0.
        width: t.
        hidden: width of the two small networks.
    """

    concepts: Tensor

    def __init__(
        self, features: int, mid: int, *, classes: int, learned: int, width: int, hidden: int
    ):
        super().__init__()
        self.classes, self.learned = classes, learned
        self.norm = nn.BatchNorm1d(features, affine=False)
        self.mid_norm = nn.BatchNorm1d(mid, affine=False)
        self.rows = nn.Sequential(
            nn.Dropout(0.1),
            nn.Linear(features, hidden // 2),
            nn.GELU(),
            nn.Dropout(0.2),
            nn.Linear(hidden // 2, learned),
        )
        self.appearance = nn.Sequential(
            nn.Dropout(0.1),
            nn.Linear(features + mid, hidden),
            nn.GELU(),
            nn.Dropout(0.2),
            nn.Linear(hidden, width),
        )
        self.balance = nn.Parameter(torch.tensor(0.0))
        self.register_buffer("concepts", torch.zeros(classes + learned, width))
        nn.init.zeros_(self._last_row().weight)
        nn.init.constant_(self._last_row().bias, UNUSED)

    @torch.no_grad()
    def set_concepts(self, texts: Tensor) -> None:
        """Name the concepts, before training.

        Args:
            texts: (K, t) unit text embeddings, of the classes and then of the learned words; K is
                at most `classes` + `learned`.
        """
        self.concepts.zero_()
        self.concepts[: len(texts)] = texts
        used = len(texts) - self.classes
        self._last_row().bias[:used] = 0.0
        self._last_row().bias[used:] = UNUSED

    def forward(self, features: CropFeatures, class_logits: Tensor) -> Tensor:
        """Embeddings (N, D) of unit length.

        Args:
            features: of N crops.
            class_logits: (N, classes), the classifier's answers.
        """
        concept = self.concept_part(self.concept_logits(features, class_logits))
        return self.join(concept, self.appearance_part(features))

    def concept_logits(self, features: CropFeatures, class_logits: Tensor) -> Tensor:
        """(N, classes + learned): the classifier's logits as they are, and those of the words."""
        return torch.cat([class_logits, self.rows(self.norm(features.pooled))], dim=1)

    def concept_part(self, logits: Tensor) -> Tensor:
        """(N, t) unit vectors: the mean text embedding of the concepts, by their probabilities."""
        return F.normalize(logits.softmax(dim=1) @ self.concepts, dim=-1)

    def appearance_part(self, features: CropFeatures) -> Tensor:
        """(N, t) unit vectors."""
        both = torch.cat([self.norm(features.pooled), self.mid_norm(features.mid)], dim=1)
        return F.normalize(self.appearance(both), dim=-1)

    def join(self, concept: Tensor, appearance: Tensor) -> Tensor:
        """The two halves side by side, weighted by `balance`: (N, D) unit vectors."""
        weight = self.balance.sigmoid()
        joined = torch.cat([weight.sqrt() * concept, (1 - weight).sqrt() * appearance], dim=1)
        return F.normalize(joined, dim=-1)

    def train(self, mode: bool = True) -> ConceptHead:
        """The normalisations keep the statistics that were measured before training."""
        super().train(mode)
        self.norm.eval()
        self.mid_norm.eval()
        return self

    def _last_row(self) -> nn.Linear:
        layer = self.rows[-1]
        assert isinstance(layer, nn.Linear)
        return layer


class ConceptTower(nn.Module):
    """Trunk and head as one image tower: normalised crops (N, 3, S, S) -> (N, D)."""

    def __init__(self, trunk: EfficientNetTrunk, head: ConceptHead, image_size: int):
        super().__init__()
        self.trunk, self.head, self.image_size = trunk, head, image_size

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 3, S, S) -> (N, D), of unit length."""
        return self.embed(self.crop_features(pixels))

    def crop_features(self, pixels: Tensor) -> CropFeatures:
        """What a frozen trunk gives; kept once, the head trains on it in seconds."""
        return self.trunk.pool(self.trunk(pixels))

    def embed(self, features: CropFeatures) -> Tensor:
        """Features of N crops -> (N, D)."""
        return self.head(features, self.trunk.net.classifier(features.pooled))


class CentredProjection(nn.Module):
    """Text features (N, t) -> (N, D): centred, and once more through a learned map.

    Sentence embeddings share a large common component, which hides what tells two words apart; the
    mean over a large vocabulary is taken off.
    """

    mean: Tensor

    def __init__(self, width: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.appearance = nn.Linear(width, width, bias=False)
        nn.init.eye_(self.appearance.weight)

    def forward(self, features: Tensor) -> Tensor:
        """(N, t) of any length -> (N, D), of unit length."""
        return self.joined(self.centred(features))

    def joined(self, text: Tensor) -> Tensor:
        """Centred unit vectors (N, t) -> (N, D), of unit length."""
        both = torch.cat([text, F.normalize(self.appearance(text), dim=-1)], dim=1)
        return both / math.sqrt(2)

    def centred(self, features: Tensor) -> Tensor:
        """(N, t) -> unit vectors (N, t) without the common component."""
        return F.normalize(F.normalize(features, dim=-1) - self.mean, dim=-1)


def pool_mid(cells: Tensor) -> Tensor:
    """Mid-level cells of square regions -> their mean, maximum and centre.

    Args:
        cells: (N, channels, 7, 7).

    Returns:
        (N, M), M three times the channels.
    """
    centre = cells[:, :, 2:5, 2:5].mean(dim=(2, 3))
    return torch.cat([cells.mean(dim=(2, 3)), cells.amax(dim=(2, 3)), centre], dim=1)


def _out_channels(stage: Any) -> int:
    """Channels that the last block of a stage gives."""
    last = stage[-1]
    return (last.conv_pwl if hasattr(last, "conv_pwl") else last.conv_pw).out_channels

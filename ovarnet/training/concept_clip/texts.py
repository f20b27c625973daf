"""Features of all texts that the stage compares crops with, computed once.

W words, T templates, t the width of the sentence encoder, D = 2t the joint embedding width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from timm.data import ImageNetInfo
from torch import Tensor

from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip.concept_tower import CentredProjection


def class_texts() -> list[str]:
    """ImageNet's 1,000 classes in the order of a classifier's answers, each with WordNet's gloss.

    "tabby, tabby cat: a cat with a grey or tawny coat mottled with black": the gloss names the kind
    of thing, which many class names do not.
    """
    info = ImageNetInfo("imagenet-1k")
    return [info.index_to_description(row, detailed=True) for row in range(info.num_classes())]


@torch.no_grad()
def text_features(clip: Clip, texts: Sequence[str]) -> Tensor:
    """Unit features (N, t) of N texts, before the projection's learned half.

    The first half of an embedding holds them, see `CentredProjection`.
    """
    embeddings = clip.encode_text(texts, truncate=True)
    return F.normalize(embeddings[:, : clip.embed_dim // 2], dim=-1)


@torch.no_grad()
def centre(clip: Clip, texts: Sequence[str]) -> Tensor:
    """Set what the projection takes off: the mean of the features of many texts.

    Returns:
        Features (N, t) of the texts, centred.
    """
    projection: CentredProjection = clip.model.text.proj
    projection.mean.zero_()
    features = text_features(clip, texts)
    projection.mean.copy_(features.mean(dim=0))
    return projection.centred(features)


def template_features(clip: Clip, strings: Sequence[str], templates: Sequence[str]) -> Tensor:
    """Features (W, T, t) of words in templates with one {} each."""
    sentences = [template.replace("{}", string) for string in strings for template in templates]
    features = text_features(clip, sentences)
    return features.view(len(strings), len(templates), features.shape[1])


def joint_embeddings(projection: CentredProjection, features: Tensor) -> Tensor:
    """Features (W, T, t) -> word embeddings (W, D), the mean over templates, of unit length.

    It is what `TemplatePrompts` gives, from features that are computed once; with gradient.
    """
    learned = F.normalize(projection.appearance(features), dim=-1)
    joined = torch.cat([features, learned], dim=-1) / math.sqrt(2)
    return F.normalize(joined.mean(dim=1), dim=-1)

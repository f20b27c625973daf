"""Stage "zero_shot": CLIP-Attr as it is before any prompt is learned, from a CLIP and a proposer.

A CLIP's cosines are all alike in size, so sigmoid(exp(theta) cos) saturates. Two numbers per kind
of word, a scale and a bias, are fitted by logistic regression on labels of BASE words of base
boxes; they are the same for every word, so ranks within a word do not change and new words are
treated as the known ones.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from ovarnet.build import open_clip_tower
from ovarnet.checkpoint import save_checkpoint
from ovarnet.config.settings import ZeroShotClipAttr
from ovarnet.data.datasets import open_dataset
from ovarnet.io.images import read_image, to_pixels
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.crops import crop_boxes
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import TemplatePrompts
from ovarnet.structures import POSITIVE, UNKNOWN, Annotations, first_boxes
from ovarnet.training.clip_attr.trainable import open_proposer_checkpoint, proposer_settings
from ovarnet.training.data.base_labels import base_labels
from ovarnet.vocabulary import KINDS, Kind, Vocabulary


@torch.no_grad()
def embed_crops(clip: Clip, images: list[Annotations]) -> Tensor:
    """Normalised CLIP embeddings (R, D) of all boxes of `images`, in their order."""
    rows = []
    for annotation in images:
        pixels = to_pixels(read_image(annotation.file))
        crops = crop_boxes(pixels, annotation.boxes, clip.image_size, clip.mean, clip.std)
        rows.append(F.normalize(clip.encode_image(crops), dim=-1))
    return torch.cat(rows)


def fit_scale_and_bias(cosines: Tensor, targets: Tensor) -> tuple[float, float]:
    """Logistic regression of 0/1 `targets` on `cosines`, both (M,): P = sigmoid(scale cos +
    bias).
    """
    mean, deviation = cosines.mean(), cosines.std().clamp(min=1e-6)
    weights = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.binary_cross_entropy_with_logits(
            weights[0] * (cosines - mean) / deviation + weights[1], targets
        )
        value.backward()
        return value

    optimizer.step(loss)
    scale = (weights[0] / deviation).item()
    return scale, (weights[1] - weights[0] * mean / deviation).item()


def base_pairs(
    embeddings: Tensor,
    images: list[Annotations],
    classifier: TextClassifier,
    vocabulary: Vocabulary,
    kind: Kind,
) -> tuple[Tensor, Tensor]:
    """Cosines and 0/1 labels of every labelled (box, base word) pair of one kind, both (M,)."""
    words, labels = base_labels(kind, vocabulary, images)
    cosines = classifier.cosines(embeddings, classifier.embed(words, kind))
    known = labels != UNKNOWN
    return cosines[known], (labels[known] == POSITIVE).float()


def assemble_clip_attr(config: ZeroShotClipAttr) -> Path:
    """Fit the calibration and write the checkpoint folder; returns it."""
    proposer = open_proposer_checkpoint(config.proposer)
    vocabulary, images = open_dataset("scenes", config.root, "train")
    images = first_boxes(images, config.boxes)
    clip = open_clip_tower(config.clip).eval()
    classifier = TextClassifier(
        clip, TemplatePrompts(config.category_templates, config.attribute_templates)
    ).eval()
    embeddings = embed_crops(clip, images)
    calibration = {
        kind: list(
            fit_scale_and_bias(*base_pairs(embeddings, images, classifier, vocabulary, kind))
        )
        for kind in KINDS
    }
    settings = {
        "clip": {"name": config.clip.name},
        "proposer": proposer_settings(proposer),
        "calibration": calibration,
        "prompts": {"category": config.category_templates, "attribute": config.attribute_templates},
        "training": asdict(config),
    }
    return save_checkpoint(
        Path(config.output) / "checkpoint",
        model="clip-attr",
        settings=settings,
        vocabulary=vocabulary,
        half=True,
        parts={"clip": clip.model.state_dict(), "proposer": proposer.part("proposer")},
    )

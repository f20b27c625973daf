"""Stage "zero_shot": CLIP-Attr before any prompt is learned, from a CLIP and a proposer."""

from __future__ import annotations

from dataclasses import asdict, astuple
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from ovarnet.build import open_clip_tower
from ovarnet.checkpoint import save_checkpoint
from ovarnet.config import DataSource, ZeroShotClipAttr
from ovarnet.data.datasets import open_dataset
from ovarnet.io.images import read_image, to_pixels
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip_attr import encode_boxes
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import TemplatePrompts
from ovarnet.structures import Annotations, first_boxes
from ovarnet.training.clip_attr.calibration import base_pairs, fit_scale_and_bias
from ovarnet.training.clip_attr.checkpoints import open_proposer_checkpoint, proposer_settings
from ovarnet.vocabulary import Kind, Vocabulary


@torch.no_grad()
def embed_crops(clip: Clip, images: list[Annotations]) -> Tensor:
    """Normalised CLIP embeddings (R, D) of all boxes of `images`, in their order."""
    rows = []
    for annotation in images:
        pixels = to_pixels(read_image(annotation.file), clip.device)
        rows.append(F.normalize(encode_boxes(clip, [pixels], [annotation.boxes])[0], dim=-1))
    return torch.cat(rows)


def open_sources(config: ZeroShotClipAttr) -> dict[Kind, tuple[Vocabulary, list[Annotations]]]:
    """Words and boxes of each kind; the same objects twice where both come from one dataset."""
    sources: dict[Kind, DataSource] = {
        "category": config.detection,
        "attribute": config.attributes,
    }
    opened = {}
    for source in sources.values():
        key = astuple(source)
        if key not in opened:
            words, images = open_dataset(*key)
            opened[key] = words, first_boxes(images, config.calibration_boxes)
    return {kind: opened[astuple(source)] for kind, source in sources.items()}


def calibrate(
    clip: Clip,
    classifier: TextClassifier,
    sources: dict[Kind, tuple[Vocabulary, list[Annotations]]],
) -> dict[str, list[float]]:
    """Scale and bias of each kind; boxes that both kinds share are embedded once."""
    calibration, embeddings = {}, {}
    for kind, (vocabulary, images) in sources.items():
        if id(images) not in embeddings:
            embeddings[id(images)] = embed_crops(clip, images)
        pairs = base_pairs(embeddings[id(images)], images, classifier, vocabulary, kind)
        calibration[kind] = list(fit_scale_and_bias(*pairs))
    return calibration


def calibrate_clip_attr(config: ZeroShotClipAttr) -> Path:
    """Fit the calibration and write the checkpoint folder; returns it."""
    proposer = open_proposer_checkpoint(config.proposer)
    sources = open_sources(config)
    clip = open_clip_tower(config.clip).eval()
    classifier = TextClassifier(
        clip, TemplatePrompts(config.category_templates, config.attribute_templates)
    ).eval()
    calibration = calibrate(clip, classifier, sources)
    words = {kind: vocabulary for kind, (vocabulary, _) in sources.items()}
    vocabulary = Vocabulary(words["category"].categories, words["attribute"].attributes)
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

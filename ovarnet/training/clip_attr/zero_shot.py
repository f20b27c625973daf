"""Stage "zero_shot": CLIP-Attr before any prompt is learned, from a CLIP and a proposer.

The prompts are templates; a scale and a bias per kind of word are fitted to base labels of any
dataset (`ovarnet.training.clip_attr.calibration`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from ovarnet.build import open_clip_tower
from ovarnet.checkpoint import save_checkpoint
from ovarnet.config import DataSource, ZeroShotClipAttr
from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.io.images import read_image, to_pixels
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip_attr import encode_boxes
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import TemplatePrompts
from ovarnet.structures import Annotations, first_boxes
from ovarnet.training.clip_attr.calibration import base_pairs, fit_scale_and_bias
from ovarnet.training.clip_attr.checkpoints import open_proposer_checkpoint, proposer_settings
from ovarnet.training.data.base_novel_check import check_initial_models, clip_checkpoints
from ovarnet.vocabulary import Kind, Vocabulary

logger = logging.getLogger(__name__)


@dataclass
class CalibrationData:
    """Words of a dataset, and its first boxes.

    Attributes:
        vocabulary: Whose columns the annotations have.
        images: Annotations that together have at least `calibration_boxes` boxes, or all.
    """

    vocabulary: Vocabulary
    images: list[Annotations]


def calibrate_clip_attr(config: ZeroShotClipAttr) -> Path:
    """Fit the calibration and write the checkpoint folder.

    Args:
        config: Settings of the stage.

    Returns:
        The checkpoint folder.

    Raises:
        InputError: No base word has both positive and negative labels, or a novel word of the data
            was a base word of the proposer or of the CLIP.
    """
    proposer = open_proposer_checkpoint(config.proposer)
    sources = open_sources(config)
    words = {kind: source.vocabulary for kind, source in sources.items()}
    vocabulary = Vocabulary(words["category"].categories, words["attribute"].attributes)
    clips = clip_checkpoints(config.clip)
    check_initial_models(vocabulary, [proposer, *clips], [config.detection, config.attributes])
    for trained in clips:  # what it had labels of are base words of this model too
        vocabulary = vocabulary.merge(trained.vocabulary)

    clip = open_clip_tower(config.clip).eval()
    prompts = TemplatePrompts(config.category_templates, config.attribute_templates)
    classifier = TextClassifier(clip, prompts).eval()
    calibration = calibrate(clip, classifier, sources)
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


def open_sources(config: ZeroShotClipAttr) -> dict[Kind, CalibrationData]:
    """Data of each kind of word; the same object twice where both come from one dataset.

    Raises:
        InputError: A dataset has no box, or cannot be read.
    """
    sources: dict[Kind, DataSource] = {
        "category": config.detection,
        "attribute": config.attributes,
    }
    opened: dict[tuple[str, str, str], CalibrationData] = {}
    for source in sources.values():
        key = astuple(source)
        if key not in opened:
            # as in training, a novel word has no box and no label, in whatever split
            vocabulary, images = open_dataset(*key, base_words_only=True)
            opened[key] = CalibrationData(vocabulary, first_boxes(images, config.calibration_boxes))
            if not opened[key].images:
                raise InputError(
                    f"{source.root}: split {source.split} of {source.dataset} has no box to fit "
                    "the calibration to"
                )
    return {kind: opened[astuple(source)] for kind, source in sources.items()}


def calibrate(
    clip: Clip, classifier: TextClassifier, sources: Mapping[Kind, CalibrationData]
) -> dict[Kind, list[float]]:
    """Scale and bias of each kind; boxes that both kinds share are embedded once.

    A kind without both positive and negative labels is left out, with one logged line: it keeps
    CLIP's own scale.

    Args:
        clip: In evaluation mode.
        classifier: Likewise.
        sources: Data of each kind.

    Raises:
        InputError: No kind has both.
    """
    calibration: dict[Kind, list[float]] = {}
    embeddings: dict[int, Tensor] = {}
    for kind, source in sources.items():
        if id(source) not in embeddings:
            embeddings[id(source)] = embed_boxes(clip, source.images)
        cosines, targets = base_pairs(
            embeddings[id(source)], source.images, classifier, source.vocabulary, kind
        )
        if 0 < targets.sum() < len(targets):
            calibration[kind] = list(fit_scale_and_bias(cosines, targets))
        else:
            logger.warning(
                "%s words are not calibrated: the data have no positive or no negative label of a "
                "base word",
                kind,
            )
    if not calibration:
        raise InputError(
            "nothing can be calibrated: no base word of the data has both positive and negative "
            "labels"
        )
    return calibration


@torch.no_grad()
def embed_boxes(clip: Clip, images: Sequence[Annotations]) -> Tensor:
    """CLIP embeddings (R, D) of all boxes of `images` in their order, unit length."""
    rows = []
    for annotation in images:
        pixels = to_pixels(read_image(annotation.file), clip.device)
        rows.append(F.normalize(encode_boxes(clip, [pixels], [annotation.boxes])[0], dim=-1))
    return torch.cat(rows)

"""Stage "probe": a linear probe on the frozen region embeddings of any model.

For a few images of one's own. The model itself is not trained. Every box is embedded once, and a
probe is fitted for each kind of word (`ovarnet.training.clip_attr.probe_fit`); words without labels
keep their text score. R boxes, K base words of a kind, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from ovarnet.build import find_checkpoint, load_model
from ovarnet.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from ovarnet.config import ProbeTraining
from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.io.images import read_image, to_pixels
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.region_model import RegionModel
from ovarnet.modeling.text.linear_probe import LinearProbe
from ovarnet.modeling.text.prompts import ATTRIBUTE_TEMPLATES, CATEGORY_TEMPLATES
from ovarnet.structures import Annotations
from ovarnet.training.clip_attr.checkpoints import (
    STOCK,
    open_proposer_checkpoint,
    proposer_settings,
)
from ovarnet.training.clip_attr.probe_fit import ProbeData, fit
from ovarnet.training.data.base_labels import base_labels
from ovarnet.training.data.base_novel_check import check_initial_models
from ovarnet.vocabulary import KINDS, Kind, Vocabulary


def train_probe(config: ProbeTraining) -> Path:
    """Fit the probe and write the checkpoint folder, which holds the whole model.

    Args:
        config: Settings of the stage.

    Returns:
        The checkpoint folder.

    Raises:
        InputError: There is no base word or no box, the labels of a kind are all alike or in one
            image only, or a novel label is among them.
    """
    vocabulary, images = open_dataset(config.data.dataset, config.data.root, config.data.split)
    names: dict[Kind, list[str]] = {
        "category": [word.name for word in vocabulary.categories if word.seen],
        "attribute": [word.name for word in vocabulary.attributes if word.seen],
    }
    if not images or not any(names.values()):
        raise InputError(
            f"{config.data.root}: nothing is left to learn from in split {config.data.split}: no "
            'box, or no base word ("seen": true in vocabulary.json, see docs/own_data.md)'
        )
    is_stock = config.init_from.startswith(STOCK)
    initial = None if is_stock else load_checkpoint(find_checkpoint(config.init_from))
    check_initial_models(vocabulary, [] if initial is None else [initial], [config.data])
    model = load_model(config.init_from, proposer=config.proposer if is_stock else None)
    # an earlier probe is replaced, and nothing may be fitted on top of it
    model.classifier.probe = None

    embeddings = embed_boxes(model, images)
    probe = LinearProbe(names, embeddings.shape[1])
    for kind in KINDS:
        if names[kind]:
            data = probe_data(kind, model, vocabulary, images, embeddings)
            fitted = fit(data, config.penalties, config.seed, kind)
            probe.set(kind, fitted.calibration, fitted.weights)
    return save_probed(config, probe, model, initial, vocabulary)


@torch.no_grad()
def embed_boxes(model: RegionModel, images: Sequence[Annotations]) -> Tensor:
    """Embed all boxes of all images as the model embeds given boxes: (R, D) float32 on the CPU."""
    rows = []
    for image in tqdm(images, desc="embedding boxes", unit="image", mininterval=2.0):
        pixels = to_pixels(read_image(image.file), model.device)
        rows.append(model([pixels], [image.boxes], [image.file])[0].embeddings.float().cpu())
    return torch.cat(rows)


@torch.no_grad()
def probe_data(
    kind: Kind,
    model: RegionModel,
    vocabulary: Vocabulary,
    images: Sequence[Annotations],
    embeddings: Tensor,
) -> ProbeData:
    """Labels of the base words of a kind, and their text scores.

    Args:
        kind: "category" or "attribute".
        model: Encodes the words.
        vocabulary: Whose columns the annotations have.
        images: The annotations.
        embeddings: (R, D) of all their boxes, in order.

    Raises:
        InputError: A novel label is among the annotations.
    """
    words, labels = base_labels(kind, vocabulary, images)
    encoded = model.classifier.embed(words, kind)
    logits = model.classifier(embeddings.to(model.device), encoded).cpu()
    counts = torch.tensor([len(image) for image in images])
    owners = torch.arange(len(images)).repeat_interleave(counts)
    return ProbeData(logits, labels, embeddings, owners)


def save_probed(
    config: ProbeTraining,
    probe: LinearProbe,
    model: RegionModel,
    initial: Checkpoint | None,
    vocabulary: Vocabulary,
) -> Path:
    """Write the initial model as it was, with the probe and the words of the data.

    Args:
        config: Settings of the stage.
        probe: The fitted probe.
        model: The initial model.
        initial: Its checkpoint; None for a CLIP of open_clip as it is.
        vocabulary: Of the data.

    Returns:
        The checkpoint folder.
    """
    name, settings, parts = _stock_parts(config, model) if initial is None else _parts(initial)
    return save_checkpoint(
        Path(config.output) / "checkpoint",
        model=name,
        settings={**settings, "probe": probe.names, "training": asdict(config)},
        vocabulary=vocabulary,
        parts={**parts, "probe": probe.state_dict()},
    )


def _parts(initial: Checkpoint) -> tuple[str, dict[str, Any], dict[str, dict[str, Tensor]]]:
    # the new folder holds every part itself, also those that a shipped folder keeps elsewhere
    settings = {key: value for key, value in initial.settings.items() if key != "stored_in"}
    return initial.model, settings, initial.parts()


def _stock_parts(
    config: ProbeTraining, model: RegionModel
) -> tuple[str, dict[str, Any], dict[str, dict[str, Tensor]]]:
    assert isinstance(model, ClipAttr), "a CLIP of open_clip is put together as CLIP-Attr"
    proposer = open_proposer_checkpoint(config.proposer)
    settings = {
        "clip": {"name": model.clip.name},
        "proposer": proposer_settings(proposer),
        "prompts": {"category": CATEGORY_TEMPLATES, "attribute": ATTRIBUTE_TEMPLATES},
    }
    parts = {"clip": model.clip.model.state_dict(), "proposer": proposer.part("proposer")}
    return "clip-attr", settings, parts

"""Stage "probe": a linear probe on the frozen region embeddings of any model, learned from a few pictures of one's own.

Nothing of the model moves. Every box is embedded once; then, for each kind of word, two numbers calibrate the text scores z over all base
words, and each base word gets a linear term on top:

    z' = gain z + bias,    p = sigmoid(z' + v . w + b),    loss = mean over a word's labels of BCE(p, y), plus strength / 2 |(w, b)|^2

v is centred and scaled to mean square length 1 for this. With a strong penalty the term vanishes and the calibrated text remains, so the
strength is chosen by cross-validation over images, "text alone" being one of the candidates. Words without labels keep their text score.
R boxes, K base words of a kind, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from ovarnet.build import find_checkpoint, load_model
from ovarnet.checkpoint import load_checkpoint, save_checkpoint
from ovarnet.config import ProbeTraining
from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.io.images import read_image, to_pixels
from ovarnet.modeling.region_model import RegionModel
from ovarnet.modeling.text.linear_probe import LinearProbe
from ovarnet.modeling.text.prompts import ATTRIBUTE_TEMPLATES, CATEGORY_TEMPLATES
from ovarnet.structures import Annotations
from ovarnet.training.clip_attr.checkpoints import open_proposer_checkpoint, proposer_settings
from ovarnet.training.clip_attr.probe_fit import FOLDS, ProbeData, fit
from ovarnet.training.data.base_labels import base_labels
from ovarnet.vocabulary import KINDS, Vocabulary


def train_probe(config: ProbeTraining) -> Path:
    """Fit the probe and write the checkpoint folder, which holds the whole model; returns it."""
    vocabulary, images = open_dataset(config.data.dataset, config.data.root, config.data.split)
    names = {
        "category": [word.name for word in vocabulary.categories if word.seen],
        "attribute": [word.name for word in vocabulary.attributes if word.seen],
    }
    if not images or not any(names.values()):
        raise InputError(
            f"{config.data.root}: nothing is left to learn from in split {config.data.split}: no "
            "box, or no base word "
            '("seen": true in vocabulary.json, see docs/own_data.md)'
        )
    model = load_model(
        config.init_from,
        proposer=config.proposer if config.init_from.startswith("clip-attr:") else None,
    )
    model.classifier.probe = (
        None  # one that the start has is replaced, not stored: nothing may be fitted on top of it
    )
    embeddings = embed_boxes(model, images)
    probe = LinearProbe(names, embeddings.shape[1])
    for kind in KINDS:
        if names[kind]:
            probe.set(
                kind,
                *fit(
                    probe_data(kind, model, vocabulary, images, embeddings),
                    config.penalties,
                    FOLDS,
                    config.seed,
                    kind,
                ),
            )
    return save_probed(Path(config.output) / "checkpoint", probe, model, vocabulary, config)


@torch.no_grad()
def embed_boxes(model: RegionModel, images: Sequence[Annotations]) -> Tensor:
    """(R, D) float32 on the CPU: all boxes of all images, as the model sees them when boxes are
    given.
    """
    rows = []
    for image in tqdm(images, desc="embedding boxes", unit="image", mininterval=2.0):
        pixels = to_pixels(read_image(image.file), model.device)
        rows.append(model([pixels], [image.boxes], [image.file])[0].embeddings.float().cpu())
    return torch.cat(rows)


@torch.no_grad()
def probe_data(
    kind: str,
    model: RegionModel,
    vocabulary: Vocabulary,
    images: Sequence[Annotations],
    embeddings: Tensor,
) -> ProbeData:
    """The base words of a kind, their labels, and what their text alone says of each box."""
    words, labels = base_labels(kind, vocabulary, images)
    logits = model.classifier(
        embeddings.to(model.device), model.classifier.embed(words, kind)
    ).cpu()
    owners = torch.arange(len(images)).repeat_interleave(
        torch.tensor([len(image) for image in images])
    )
    return ProbeData(logits, labels, embeddings, owners)


def save_probed(
    folder: Path,
    probe: LinearProbe,
    model: RegionModel,
    vocabulary: Vocabulary,
    config: ProbeTraining,
) -> Path:
    """The model that was started from, as it was, with the probe and the words of the data."""
    if config.init_from.startswith("clip-attr:"):
        proposer = open_proposer_checkpoint(config.proposer)
        name, settings = (
            "clip-attr",
            {
                "clip": {"name": model.clip.name},
                "proposer": proposer_settings(proposer),
                "prompts": {"category": CATEGORY_TEMPLATES, "attribute": ATTRIBUTE_TEMPLATES},
            },
        )
        parts = {"clip": model.clip.model.state_dict(), "proposer": proposer.part("proposer")}
    else:
        start = load_checkpoint(find_checkpoint(config.init_from))
        name, parts = start.model, start.parts()
        settings = {
            key: value for key, value in start.settings.items() if key != "stored_in"
        }  # the new folder holds every part itself
    return save_checkpoint(
        folder,
        model=name,
        settings={**settings, "probe": probe.names, "training": asdict(config)},
        vocabulary=vocabulary,
        parts={**parts, "probe": probe.state_dict()},
    )

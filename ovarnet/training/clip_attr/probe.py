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
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from ovarnet.build import find_checkpoint, load
from ovarnet.checkpoint import load_checkpoint, save_checkpoint
from ovarnet.config.settings import ProbeTraining
from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.io.images import read_image, to_pixels
from ovarnet.modeling.predictor import Batch, Predictor
from ovarnet.modeling.text.linear_probe import LinearProbe
from ovarnet.modeling.text.prompts import ATTRIBUTE_TEMPLATES, CATEGORY_TEMPLATES
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN, Annotations
from ovarnet.training.clip_attr.calibration import fit_scale_and_bias
from ovarnet.training.clip_attr.trainable import open_proposer_checkpoint, proposer_settings
from ovarnet.training.data.base_labels import base_labels
from ovarnet.vocabulary import KINDS, Vocabulary

TEXT_ALONE = float("inf")


@dataclass
class ProbeData:
    """One kind of word. logits: (R, K) of the base words by their text. labels: (R, K) int8.
    embeddings: (R, D). owners: (R,) image.
    """

    logits: Tensor
    labels: Tensor
    embeddings: Tensor
    owners: Tensor

    @property
    def known(self) -> Tensor:
        return self.labels != UNKNOWN

    def of(self, rows: Tensor) -> ProbeData:
        return ProbeData(
            self.logits[rows], self.labels[rows], self.embeddings[rows], self.owners[rows]
        )


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
    model = load(
        config.start, proposer=config.proposer if config.start.startswith("clip-attr:") else None
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
                    config.strengths,
                    config.folds,
                    config.seed,
                    kind,
                ),
            )
    return save_probed(Path(config.output) / "checkpoint", probe, model, vocabulary, config)


@torch.no_grad()
def embed_boxes(model: Predictor, images: Sequence[Annotations]) -> Tensor:
    """(R, D) float32 on the CPU: all boxes of all images, as the model sees them when boxes are
    given.
    """
    rows = []
    for image in tqdm(images, desc="embedding boxes", unit="image", mininterval=2.0):
        pixels = to_pixels(read_image(image.file), model.device)
        rows.append(
            model.regions(Batch([pixels], [image.file], [image.boxes]))[0].embeddings.float().cpu()
        )
    return torch.cat(rows)


@torch.no_grad()
def probe_data(
    kind: str,
    model: Predictor,
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


def fit(
    lesson: ProbeData, strengths: Sequence[float], folds: int, seed: int, kind: str
) -> tuple[tuple[float, float], Tensor]:
    """(gain, bias) and rows (K, D + 1) of w and b, for embeddings of unit length."""
    known = lesson.known
    if not (lesson.labels[known] == POSITIVE).any() or not (lesson.labels[known] == NEGATIVE).any():
        raise InputError(
            f"the {kind} labels of the training data are all alike; a probe needs positives and "
            "negatives "
            '(see docs/own_data.md on "unlisted_attributes")'
        )
    losses = {
        strength: held_out_loss(lesson, strength, folds, seed)
        for strength in (TEXT_ALONE, *strengths)
    }
    best = min(losses, key=losses.get)
    linear = min(strengths, key=losses.get)
    print(
        f"{kind} words: held-out loss {losses[TEXT_ALONE]:.4f} by their text alone, "
        f"{losses[linear]:.4f} with a linear term of strength "
        f"{linear:g}; {'the text alone' if best == TEXT_ALONE else 'the linear term'} is kept"
    )
    return solve(lesson, best)


def held_out_loss(lesson: ProbeData, strength: float, folds: int, seed: int) -> float:
    """Mean over the labels of images that were not learned from, in `folds` parts."""
    images = int(lesson.owners.max()) + 1
    part = torch.randperm(images, generator=torch.Generator().manual_seed(seed)) % min(
        folds, images
    )
    total, count = 0.0, 0
    for fold in part.unique().tolist():
        held = part[lesson.owners] == fold
        calibration, weights = solve(lesson.of(~held), strength)
        test = lesson.of(held)
        unit = F.normalize(test.embeddings, dim=-1)
        z = (
            calibration[0] * test.logits
            + calibration[1]
            + unit @ weights[:, :-1].T
            + weights[:, -1]
        )
        total += F.binary_cross_entropy_with_logits(
            z[test.known], (test.labels[test.known] == POSITIVE).float(), reduction="sum"
        ).item()
        count += int(test.known.sum())
    return total / max(1, count)


def solve(lesson: ProbeData, strength: float) -> tuple[tuple[float, float], Tensor]:
    """As `fit`, with a given strength."""
    known, targets = lesson.known, (lesson.labels == POSITIVE).float()
    calibration = fit_scale_and_bias(lesson.logits[known], targets[known])
    unit = F.normalize(lesson.embeddings, dim=-1)
    centre = unit.mean(dim=0)
    spread = (unit - centre).square().sum(dim=1).mean().sqrt().clamp(min=1e-6)
    weights = torch.zeros(targets.shape[1], unit.shape[1] + 1)
    if strength < TEXT_ALONE:
        features = F.pad((unit - centre) / spread, (0, 1), value=1.0)
        weights = _logistic(
            features, calibration[0] * lesson.logits + calibration[1], targets, known, strength
        )
    slopes = weights[:, :-1] / spread
    return calibration, torch.cat([slopes, (weights[:, -1] - slopes @ centre)[:, None]], dim=1)


def _logistic(
    features: Tensor, offsets: Tensor, targets: Tensor, known: Tensor, strength: float
) -> Tensor:
    """(K, F) weights of K regularised logistic regressions at once, each on its known rows.
    features: (R, F). The rest: (R, K).
    """
    weights = torch.zeros(targets.shape[1], features.shape[1], requires_grad=True)
    share = known / known.sum(dim=0).clamp(min=1)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        errors = F.binary_cross_entropy_with_logits(
            offsets + features @ weights.T, targets, reduction="none"
        )
        value = (errors * share).sum() + 0.5 * strength * weights.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return weights.detach()


def save_probed(
    folder: Path,
    probe: LinearProbe,
    model: Predictor,
    vocabulary: Vocabulary,
    config: ProbeTraining,
) -> Path:
    """The model that was started from, as it was, with the probe and the words of the data."""
    if config.start.startswith("clip-attr:"):
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
        start = load_checkpoint(find_checkpoint(config.start))
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

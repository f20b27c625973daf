"""The fit of the linear probe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ovarnet.errors import InputError
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN
from ovarnet.training.clip_attr.calibration import fit_scale_and_bias

TEXT_ALONE = float("inf")
FOLDS = 5


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

"""Fit of the linear probe, for one kind of word.

Two numbers calibrate the text scores z over all base words, and each base word gets a linear term
on the region embedding v, which is centred and scaled to mean square length 1 for this:

    z' = gain z + bias,    p = sigmoid(z' + v . w + b)
    loss = mean over a word's labels of BCE(p, y), plus penalty / 2 |(w, b)|^2

With a high penalty the term vanishes and the calibrated text remains; the penalty is chosen by
cross-validation over images, text alone being one of the candidates. R boxes, K base words of a
kind, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ovarnet.errors import InputError
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN
from ovarnet.training.clip_attr.calibration import fit_scale_and_bias

FOLDS = 5
TEXT_ALONE = float("inf")
"""The penalty with which nothing but the text remains."""


@dataclass
class ProbeData:
    """Labelled boxes, for one kind of word.

    Attributes:
        logits: (R, K) float32 of the base words by their text.
        labels: (R, K) int8 of POSITIVE / NEGATIVE / UNKNOWN.
        embeddings: (R, D) float32, of any length.
        owners: (R,) int64, the image of each box.
    """

    logits: Tensor
    labels: Tensor
    embeddings: Tensor
    owners: Tensor

    @property
    def known(self) -> Tensor:
        """(R, K) bool: the label is known."""
        return self.labels != UNKNOWN

    @property
    def targets(self) -> Tensor:
        """(R, K) float32: 1 where positive, else 0."""
        return (self.labels == POSITIVE).float()

    def select(self, rows: Tensor) -> ProbeData:
        """The boxes of a mask or of indices."""
        return ProbeData(
            self.logits[rows], self.labels[rows], self.embeddings[rows], self.owners[rows]
        )


@dataclass
class FittedProbe:
    """What was fitted for one kind of word.

    Attributes:
        calibration: gain and bias.
        weights: (K, D + 1) float32, rows of w and b, for embeddings of unit length.
    """

    calibration: tuple[float, float]
    weights: Tensor

    def logits(self, data: ProbeData) -> Tensor:
        """(R, K) logits of p, for any boxes."""
        gain, bias = self.calibration
        unit = F.normalize(data.embeddings, dim=-1)
        return gain * data.logits + bias + unit @ self.weights[:, :-1].T + self.weights[:, -1]


def fit(data: ProbeData, penalties: Sequence[float], seed: int, kind: str) -> FittedProbe:
    """Choose the penalty by cross-validation, print the choice, and fit to all boxes.

    Args:
        data: All boxes.
        penalties: Candidates beside the text alone; not empty.
        seed: Of the division of the images into folds.
        kind: Named in what is printed.

    Raises:
        InputError: There are no positives or no negatives, or fewer than two images have labels.
    """
    labels = data.labels[data.known]
    if not (labels == POSITIVE).any() or not (labels == NEGATIVE).any():
        raise InputError(
            f"the {kind} labels of the training data are all alike; a probe needs positives and "
            'negatives (see docs/own_data.md on "unlisted_attributes")'
        )
    if len(labelled_images(data)) < 2:
        raise InputError(
            f"only 1 image of the training data has {kind} labels; a probe is chosen by its loss "
            "on images that it was not fitted to and needs labels in at least 2"
        )
    losses = {penalty: held_out_loss(data, penalty, seed) for penalty in (TEXT_ALONE, *penalties)}
    best = min(losses, key=losses.__getitem__)
    linear = min(penalties, key=losses.__getitem__)
    print(
        f"{kind} words: held-out loss {losses[TEXT_ALONE]:.4f} by their text alone, "
        f"{losses[linear]:.4f} with a linear term of penalty {linear:g}; "
        f"{'the text alone' if best == TEXT_ALONE else 'the linear term'} is kept"
    )
    return solve(data, best)


def labelled_images(data: ProbeData) -> Tensor:
    """Images with a known label, ascending."""
    return data.owners[data.known.any(dim=1)].unique()


def held_out_loss(data: ProbeData, penalty: float, seed: int) -> float:
    """Mean BCE over the labels of images that were not fitted to, in `FOLDS` folds of images."""
    # images without labels say nothing in either part, so folds are made of the others
    images = labelled_images(data)
    generator = torch.Generator().manual_seed(seed)
    folds = torch.randperm(len(images), generator=generator) % min(FOLDS, len(images))

    total, count = 0.0, 0
    for fold in folds.unique().tolist():
        is_held_out = torch.isin(data.owners, images[folds == fold])
        fitted, test = solve(data.select(~is_held_out), penalty), data.select(is_held_out)
        total += F.binary_cross_entropy_with_logits(
            fitted.logits(test)[test.known], test.targets[test.known], reduction="sum"
        ).item()
        count += int(test.known.sum())
    return total / count


def solve(data: ProbeData, penalty: float) -> FittedProbe:
    """Fit calibration and linear terms with a given penalty."""
    known, targets = data.known, data.targets
    calibration = fit_scale_and_bias(data.logits[known], targets[known])

    # centred and scaled, so that one penalty suits models of any embedding
    unit = F.normalize(data.embeddings, dim=-1)
    centre = unit.mean(dim=0)
    spread = (unit - centre).square().sum(dim=1).mean().sqrt().clamp(min=1e-6)
    weights = torch.zeros(targets.shape[1], unit.shape[1] + 1)
    if penalty < TEXT_ALONE:
        features = F.pad((unit - centre) / spread, (0, 1), value=1.0)
        text = calibration[0] * data.logits + calibration[1]
        weights = _logistic_regressions(features, text, targets, known, penalty)

    # back to embeddings that are not centred: w . (v - c) / s + b = (w / s) . v + b - (w / s) . c
    slopes = weights[:, :-1] / spread
    intercepts = (weights[:, -1] - slopes @ centre)[:, None]
    return FittedProbe(calibration, torch.cat([slopes, intercepts], dim=1))


def _logistic_regressions(
    features: Tensor, offsets: Tensor, targets: Tensor, known: Tensor, penalty: float
) -> Tensor:
    """K regularised logistic regressions at once, each on its known rows.

    Args:
        features: (R, F).
        offsets: (R, K), added to the logits.
        targets: (R, K) of 0 and 1.
        known: (R, K) bool.
        penalty: Of the squared weights.

    Returns:
        Weights (K, F).
    """
    weights = torch.zeros(targets.shape[1], features.shape[1], requires_grad=True)
    share = known / known.sum(dim=0).clamp(min=1)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        errors = F.binary_cross_entropy_with_logits(
            offsets + features @ weights.T, targets, reduction="none"
        )
        value = (errors * share).sum() + 0.5 * penalty * weights.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return weights.detach()

"""Calibration of cosine scores: a scale and a bias per kind of word (method section 2.5).

All cosines of a CLIP are of similar size, so that sigmoid(exp(theta) cos) saturates. A scale and a
bias are fitted by logistic regression to labels of BASE words; they are shared by all words of a
kind, so that the ranking by a word does not change and new words are treated as the known ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.structures import POSITIVE, UNKNOWN, Annotations
from ovarnet.training.data.base_labels import base_labels
from ovarnet.vocabulary import Kind, Vocabulary


def fit_scale_and_bias(cosines: Tensor, targets: Tensor) -> tuple[float, float]:
    """Logistic regression: P(target = 1) = sigmoid(scale cos + bias).

    Args:
        cosines: (M,) float32, or any other scores; M > 0.
        targets: (M,) float32 of 0 and 1.

    Returns:
        scale, bias.
    """
    # standardised scores, so that one step size suits both parameters; one score has no deviation
    mean = cosines.mean()
    deviation = cosines.std().clamp(min=1e-6) if len(cosines) > 1 else torch.ones(())
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
    images: Sequence[Annotations],
    classifier: TextClassifier,
    vocabulary: Vocabulary,
    kind: Kind,
) -> tuple[Tensor, Tensor]:
    """Cosines and labels of every (box, base word) pair of one kind whose label is known.

    Args:
        embeddings: (R, D) of all boxes of `images`, in their order.
        images: Annotations, with columns of `vocabulary`.
        classifier: Embeds the words.
        vocabulary: Its base words are used; novel ones never are.
        kind: "category" or "attribute".

    Returns:
        Cosines (M,) float32 and targets (M,) float32 of 0 and 1; M may be 0.
    """
    words, labels = base_labels(kind, vocabulary, images)
    cosines = classifier.cosines(embeddings, classifier.embed(words, kind))
    known = labels != UNKNOWN
    return cosines[known], (labels[known] == POSITIVE).float()

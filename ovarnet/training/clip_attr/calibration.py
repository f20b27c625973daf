"""Stage "zero_shot": CLIP-Attr as it is before any prompt is learned, from a CLIP and a proposer.

A CLIP's cosines are all alike in size, so sigmoid(exp(theta) cos) saturates. Two numbers per kind
of word, a scale and a bias, are fitted by logistic regression on labels of BASE words of base
boxes; they are the same for every word, so ranks within a word do not change and new words are
treated as the known ones.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.structures import POSITIVE, UNKNOWN, Annotations
from ovarnet.training.data.base_labels import base_labels
from ovarnet.vocabulary import Kind, Vocabulary


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

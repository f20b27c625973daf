"""Losses and accuracies of the pre-training tasks.

N samples, K restored patches, D width of a patch feature.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ovarnet.catalogue.pretext.masking import NOT_PREDICTED
from ovarnet.losses.distillation import kl_divergence


def word_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy, mean over the predicted words; 0 with a graph where there are none.

    Args:
        logits: (K, vocabulary) at the predicted positions.
        targets: (K,) int64.
    """
    return F.cross_entropy(logits, targets) if len(targets) else logits.sum() * 0


def match_loss(logits: Tensor, matched: Tensor, candidates: int) -> Tensor:
    """Cross entropy of matched and mismatched samples, and in larger groups of the right one.

    Args:
        logits: (N, 2), mismatched and matched.
        matched: (N,) int64 in {0, 1}; of a group the first sample is matched, the others are not.
        candidates: Size of a group. 2: the plain mean over the samples. More: matched and
            mismatched samples weigh the same, and the cross entropy of the first one over its
            group's scores is added.
    """
    if candidates <= 2:
        return F.cross_entropy(logits, matched)
    pairs = F.cross_entropy(logits, matched, weight=logits.new_tensor([1 / (candidates - 1), 1]))
    scores = (logits[:, 1] - logits[:, 0]).view(-1, candidates)
    return pairs + F.cross_entropy(scores, matched.new_zeros(len(scores)))


def patch_loss(predicted: Tensor, clean: Tensor) -> Tensor:
    """KL(softmax clean || softmax predicted) over the D numbers of a feature, mean over patches.

    A feature is read as a distribution, as both papers do.

    Args:
        predicted: (K, D); K may be 0.
        clean: (K, D) features of the frozen network.
    """
    return kl_divergence(predicted, clean)


def accuracy(logits: Tensor, targets: Tensor) -> Tensor:
    """Share of right answers; rows without a target do not count; 0 where none counts."""
    counts = targets != NOT_PREDICTED
    right = (logits.detach().argmax(dim=1) == targets) & counts
    return right.sum() / counts.sum().clamp(min=1)

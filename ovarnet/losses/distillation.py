"""Keeping a student near its teacher: by the probabilities of words, or by features (method
sections 4.4 and 6).

R regions, W words of ONE vocabulary (categories or attributes: each has its own softmax), D the
embedding width.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def kl_divergence(student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
    """KL(softmax teacher || softmax student), summed over the words, mean over the regions; the
    teacher gets no gradient.

    Both (R, W) with the same columns. 0 (with a gradient of 0) when R or W is 0.
    """
    if not student_logits.numel():
        return student_logits.sum() * 0
    teacher = teacher_logits.detach().to(student_logits).log_softmax(dim=1)
    return F.kl_div(
        student_logits.log_softmax(dim=1), teacher, reduction="batchmean", log_target=True
    )


def cosine_loss(features: Tensor, reference: Tensor) -> Tensor:
    """Mean of 1 - cosine between the rows of `features` and `reference`, both (R, D); the reference
    gets no gradient. 0 when R is 0.
    """
    if not len(features):
        return features.sum() * 0
    return 1 - F.cosine_similarity(features, reference.detach().to(features), dim=1).mean()

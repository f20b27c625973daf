"""Losses between a student and its teacher (method sections 4.4 and 6).

R regions, W words of ONE vocabulary (categories and attributes each have their own softmax), D the
embedding width. The teacher gets no gradient.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def kl_divergence(student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
    """KL(softmax teacher || softmax student), summed over the words, mean over the regions.

    Args:
        student_logits: (R, W); R and W may be 0.
        teacher_logits: (R, W), the same columns.
    """
    if not student_logits.numel():
        return student_logits.sum() * 0
    teacher = teacher_logits.detach().to(student_logits).log_softmax(dim=1)
    return F.kl_div(
        student_logits.log_softmax(dim=1), teacher, reduction="batchmean", log_target=True
    )


def cosine_loss(features: Tensor, reference: Tensor) -> Tensor:
    """1 - cosine of each row, a mean.

    Args:
        features: (R, D); R may be 0.
        reference: (R, D).
    """
    if not len(features):
        return features.sum() * 0
    return 1 - F.cosine_similarity(features, reference.detach().to(features), dim=1).mean()

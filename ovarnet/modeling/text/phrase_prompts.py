"""Learned vectors around a noun phrase of a caption, without a type (method 2.4, step II)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovarnet.modeling.clip.clip import Clip


class PhrasePrompts(nn.Module):
    """Vectors around noun phrases, half before and half after.

    Args:
        width: d, `clip.text_width`.
        vectors: how many, shared by all phrases; may be 0.
    """

    def __init__(self, width: int, vectors: int = 16):
        super().__init__()
        self.vectors = nn.Parameter(torch.empty(vectors, width).normal_(std=0.02))

    def encode(self, clip: Clip, phrases: Sequence[str]) -> Tensor:
        """Encode P phrases -> (P, D), L2-normalised; a phrase too long for the context is cut."""
        count = len(self.vectors)
        tower = clip.require_text_tower()
        marks, room = [~k for k in range(count)], tower.room - count
        before, after = marks[: count // 2], marks[count // 2 :]
        sequences = [
            [*tower.start, *before, *ids[:room], *after, *tower.end]
            for ids in tower.tokenize(list(phrases))
        ]
        return F.normalize(clip.encode_sequences(sequences, self.vectors).float(), dim=-1)

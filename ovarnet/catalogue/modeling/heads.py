"""Heads on the states of `ProductBert`, one per task.

N products or masked positions, P patches, D width of a patch feature, H width of the encoder.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ovarnet.catalogue.modeling.bert import EPS, init_weights
from ovarnet.catalogue.modeling.patches import PatchLayout


class WordHead(nn.Module):
    """Logits of the vocabulary, with the table of token embeddings as the last layer.

    Args:
        hidden: H.
        vocabulary: Number of tokens.
    """

    def __init__(self, hidden: int, vocabulary: int):
        super().__init__()
        self.dense = nn.Linear(hidden, hidden)
        self.norm = nn.LayerNorm(hidden, eps=EPS)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.apply(init_weights)

    def forward(self, states: Tensor, table: Tensor) -> Tensor:
        """(N, H) states and the table (vocabulary, H) -> (N, vocabulary) logits."""
        return F.linear(self.norm(F.gelu(self.dense(states))), table, self.bias)


class PatchHead(nn.Module):
    """Predicts the features of masked patches, with a matrix for each level.

    Args:
        layout: The patches.
        hidden: H.
        features: D.
    """

    def __init__(self, layout: PatchLayout, hidden: int, features: int):
        super().__init__()
        self.register_buffer("level_of", layout.level_of, persistent=False)
        self.levels = nn.ModuleList(nn.Linear(hidden, features, bias=False) for _ in layout.levels)
        self.apply(init_weights)

    def forward(self, states: Tensor, masked: Tensor) -> Tensor:
        """Predictions at masked patches.

        Args:
            states: (N, P, H).
            masked: (N, P) bool.

        Returns:
            (number of masked patches, D), in the order of `masked.nonzero()`.
        """
        chosen = states[masked]
        levels = cast(Tensor, self.level_of).expand_as(masked)[masked]
        predicted = torch.stack([head(chosen) for head in self.levels])
        return predicted[levels, torch.arange(len(chosen), device=levels.device)]


class SlotHead(nn.Module):
    """Classifies a level by the states of all its patches, in the order of their slots.

    Args:
        slots: Number of patches.
        hidden: H.
        classes: Number of classes.
    """

    def __init__(self, slots: int, hidden: int, classes: int):
        super().__init__()
        self.classify = nn.Linear(slots * hidden, classes)
        self.apply(init_weights)

    def forward(self, states: Tensor) -> Tensor:
        """(N, slots, H) -> (N, classes) logits."""
        return self.classify(states.flatten(1))


class LabelHeads(nn.Module):
    """A linear classifier on the pooled output for each label column.

    Args:
        hidden: H.
        classes: Column -> number of values.
        dropout: Of the pooled output.
    """

    def __init__(self, hidden: int, classes: Mapping[str, int], dropout: float = 0.1):
        super().__init__()
        self.columns = list(classes)
        self.dropout = nn.Dropout(dropout)
        # a list, not a ModuleDict: a column may be named as no module can be
        self.heads = nn.ModuleList(nn.Linear(hidden, count) for count in classes.values())
        self.apply(init_weights)

    def forward(self, pooled: Tensor) -> dict[str, Tensor]:
        """(N, H) -> column -> (N, values) logits."""
        pooled = self.dropout(pooled)
        return {column: head(pooled) for column, head in zip(self.columns, self.heads, strict=True)}

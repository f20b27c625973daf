"""Show, Attend and Tell: a captioner whose attention says where each word is (Xu et al., 2015).

N photos, L cells of a map, C channels, T words, V words of the vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

PAD, START, END, UNKNOWN = 0, 1, 2, 3
SPECIAL = 4
"""Ids before the first word."""


class ShowAttendTell(nn.Module):
    """LSTM with soft attention over the cells of a map.

    Args:
        words: V, special ids included.
        channels: C.
        hidden: Width of the LSTM and of the attention.
        embedding: Width of a word.
    """

    def __init__(self, words: int, channels: int, *, hidden: int = 256, embedding: int = 128):
        super().__init__()
        self.embed = nn.Embedding(words, embedding, padding_idx=PAD)
        self.start_state = nn.Linear(channels, hidden)
        self.start_cell = nn.Linear(channels, hidden)
        self.attend_cells = nn.Linear(channels, hidden)
        self.attend_state = nn.Linear(hidden, hidden)
        self.attend = nn.Linear(hidden, 1, bias=False)
        self.gate = nn.Linear(hidden, channels)
        self.lstm = nn.LSTMCell(embedding + channels, hidden)
        self.dropout = nn.Dropout(0.5)
        self.classify = nn.Linear(hidden + channels + embedding, words)

    def forward(self, cells: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """Predict each next word of given titles.

        Args:
            cells: (N, L, C).
            words: (N, T) int64, START first; what stands at t is read to predict t + 1.

        Returns:
            Logits (N, T, V) and attention (N, T, L), which sums to 1 over the cells.
        """
        state, projected = self._start(cells), self.attend_cells(cells)
        logits, maps = [], []
        for step in range(words.shape[1]):
            state, scores, attention = self._step(cells, projected, words[:, step], state)
            logits.append(scores)
            maps.append(attention)
        return torch.stack(logits, dim=1), torch.stack(maps, dim=1)

    @torch.no_grad()
    def generate(self, cells: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """Write a title, the most probable word at each step.

        Args:
            cells: (N, L, C).
            length: Most words.

        Returns:
            Words (N, length) int64, PAD from END on, and their attention (N, length, L).
        """
        state, projected = self._start(cells), self.attend_cells(cells)
        words = torch.full((len(cells),), START, device=cells.device)
        ended = torch.zeros_like(words, dtype=torch.bool)
        written, maps = [], []
        for _ in range(length):
            state, scores, attention = self._step(cells, projected, words, state)
            scores[:, [PAD, START, UNKNOWN]] = float("-inf")
            words = scores.argmax(dim=1)
            ended = ended | (words == END)
            written.append(words.masked_fill(ended, PAD))
            maps.append(attention)
        return torch.stack(written, dim=1), torch.stack(maps, dim=1)

    def _start(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        mean = cells.mean(dim=1)
        return torch.tanh(self.start_state(mean)), torch.tanh(self.start_cell(mean))

    def _step(
        self, cells: Tensor, projected: Tensor, words: Tensor, state: tuple[Tensor, Tensor]
    ) -> tuple[tuple[Tensor, Tensor], Tensor, Tensor]:
        """Next state, logits (N, V) and attention (N, L) after reading a word."""
        before = state[0]
        energy = self.attend(torch.tanh(projected + self.attend_state(before)[:, None]))
        attention = energy[..., 0].softmax(dim=1)
        seen = torch.sigmoid(self.gate(before)) * (attention[..., None] * cells).sum(dim=1)

        embedded = self.embed(words)
        state = self.lstm(torch.cat([embedded, seen], dim=1), state)
        read = torch.cat([state[0], seen, embedded], dim=1)
        return state, self.classify(self.dropout(read)), attention


def captioner_losses(logits: Tensor, attention: Tensor, targets: Tensor) -> dict[str, Tensor]:
    """Loss of the words and the doubly stochastic regularisation of the attention.

    Args:
        logits: (N, T, V).
        attention: (N, T, L).
        targets: (N, T) int64; PAD is not predicted.

    Returns:
        "words": cross entropy, mean over the words; "coverage": every cell should get the attention
        1 over the words of a title, (1 - sum)^2, mean over photos and cells.
    """
    is_word = targets != PAD
    words = nn.functional.cross_entropy(logits[is_word], targets[is_word])
    total = (attention * is_word[..., None]).sum(dim=1)
    return {"words": words, "coverage": ((1 - total) ** 2).mean()}

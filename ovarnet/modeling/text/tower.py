"""Text towers on token EMBEDDINGS, so that learnable vectors can stand anywhere in a prompt.

N prompts of at most L tokens, K learnable vectors, d the tower's width, D the joint embedding
space. open_clip's own `encode_text` takes token ids only and always computes the full context
length. Each family of towers is one subclass of `TextTower`: CLIP's causal one
(`causal_tower`), BERT-like ones (`bert_tower`) and SigLIP's (`siglip_tower`);
`ovarnet.modeling.text.families.text_tower` picks the subclass.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

BATCH = 256
"""Prompts per pass: 5,000 words at once would need gigabytes for the activations."""


class TextTower(ABC):
    """What prompts need of a text tower. It holds no parameters: those belong to the CLIP.

    Attributes:
        start: token ids before every text, such as [SOT] or [CLS]; may be empty.
        end: token ids after every text, such as [EOT] or [SEP]; may be empty.
        context_length: most tokens of a text, `start` and `end` included.
        token_embedding: the table of token embeddings, (tokens, d).
        pad_id: token that fills a prompt up; only seen by towers with `full_context`.
        full_context: whether the tower reads the padding, so every prompt is `context_length` long.
    """

    start: tuple[int, ...]
    end: tuple[int, ...]
    context_length: int
    token_embedding: nn.Embedding
    pad_id: int = 0
    full_context: bool = False

    @abstractmethod
    def tokenize(self, strings: Sequence[str]) -> list[list[int]]:
        """Token ids of each string, without `start` and `end`, whatever the length."""

    @abstractmethod
    def encode(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """Features of prompts given as token embeddings, differentiable.

        Args:
            embeddings: (N, L, d) without positions, `start` and `end` included. N may be 0.
            lengths: (N,) int64, tokens of each prompt. What stands after them does not matter,
                except with `full_context`, where L is `context_length` and it must be padding.

        Returns:
            (N, D), not L2-normalised.
        """

    @abstractmethod
    def encode_whole(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """As `encode`, with the work for all L tokens whatever `lengths` says.

        Its shapes depend on the shapes of its inputs alone, as `torch.export` needs.
        """

    @property
    def room(self) -> int:
        """Most tokens of a text between `start` and `end`."""
        return self.context_length - len(self.start) - len(self.end)

    def whole(self, tokens: Sequence[int]) -> list[int]:
        """A text's token ids with `start` and `end` around them, cut to `room`."""
        return [*self.start, *tokens[: self.room], *self.end]

    def encode_sequences(
        self, sequences: Sequence[Sequence[int]], vectors: Tensor | None = None
    ) -> Tensor:
        """Features of whole prompts given as token ids, in the order given.

        Differentiable in the tower and in `vectors`. Prompts of like length are computed together,
        at most `BATCH` at a time.

        Args:
            sequences: token ids with `start` and `end`; a negative id ~k stands for `vectors[k]`.
            vectors: (K, d) learnable vectors, or None where no id is negative.

        Returns:
            (N, D), not L2-normalised; N may be 0.
        """
        device = self.device
        if not len(sequences):
            none = torch.zeros(0, dtype=torch.long, device=device)
            return self.encode_ids(none.new_zeros(0, self.context_length), none, vectors)
        order = sorted(range(len(sequences)), key=lambda i: len(sequences[i]))
        features = []
        for start in range(0, len(order), BATCH):
            chunk = [sequences[i] for i in order[start : start + BATCH]]
            lengths = torch.tensor([len(ids) for ids in chunk], device=device)
            features.append(self.encode_ids(self._padded(chunk), lengths, vectors))

        # back to the order given
        back = torch.empty(len(order), dtype=torch.long, device=device)
        back[torch.tensor(order, device=device)] = torch.arange(len(order), device=device)
        return torch.cat(features)[back]

    def encode_ids(self, ids: Tensor, lengths: Tensor, vectors: Tensor | None) -> Tensor:
        """Features of padded prompts.

        Args:
            ids: (N, L) int64 token ids; a negative id ~k stands for `vectors[k]`.
            lengths: (N,) int64, tokens of each prompt.
            vectors: (K, d) learnable vectors, or None where no id is negative.

        Returns:
            (N, D), not L2-normalised.
        """
        return self.encode(self._embed(ids, vectors), lengths)

    @property
    def width(self) -> int:
        """Width d of the token embeddings."""
        return self.token_embedding.embedding_dim

    @property
    def device(self) -> torch.device:
        """Where the token ids must be."""
        return self.token_embedding.weight.device

    def _padded(self, sequences: Sequence[Sequence[int]]) -> Tensor:
        """Token ids (N, L) on the tower's device, filled up with `pad_id`."""
        length = self.context_length if self.full_context else max(map(len, sequences))
        ids = torch.full((len(sequences), length), self.pad_id)
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)] = torch.tensor(sequence)
        return ids.to(self.device)

    def _embed(self, ids: Tensor, vectors: Tensor | None) -> Tensor:
        embeddings = self.token_embedding(ids.clamp(min=0))
        if vectors is None or not len(vectors):
            return embeddings
        is_vector = (ids < 0).unsqueeze(-1)
        return torch.where(is_vector, vectors[(~ids).clamp(min=0)].to(embeddings.dtype), embeddings)

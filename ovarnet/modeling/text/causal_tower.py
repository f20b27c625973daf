"""CLIP's own text tower: causal, read at [EOT], with CLIP's BPE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor, nn

from ovarnet.modeling.text.tower import TextTower


class CausalTower(TextTower):
    """The text side of `open_clip.CLIP` or of a `TextTransformer` with a causal mask.

    Only the longest prompt of a batch is computed, not the full context: under a causal mask no
    token sees what comes after it, so the cut changes nothing.
    """

    module: Any  # open_clip gives its parts no types

    def __init__(self, module: nn.Module, tokenizer: SimpleTokenizer, context_length: int):
        self.module, self.tokenizer, self.context_length = module, tokenizer, context_length
        self.start, self.end = (tokenizer.sot_token_id,), (tokenizer.eot_token_id,)
        self.token_embedding = self.module.token_embedding

    @staticmethod
    def fits(module: nn.Module, pool: str | None, tokenizer: object) -> bool:
        """Whether `module` is such a tower. pool: how it is read ("argmax", "eos", ...)."""
        has_parts = all(
            hasattr(module, part)
            for part in ("transformer", "token_embedding", "positional_embedding", "ln_final")
        )
        causal = (
            getattr(module, "attn_mask", None) is not None
            and getattr(module, "cls_emb", None) is None
        )
        return (
            has_parts
            and causal
            and pool in ("argmax", "eos")
            and isinstance(tokenizer, SimpleTokenizer)
        )

    def tokenize(self, strings: Sequence[str]) -> list[list[int]]:
        """See `TextTower.tokenize`."""
        return [self.tokenizer.encode(string) for string in strings]

    def encode(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """See `TextTower.encode`."""
        length = int(lengths.max()) if len(lengths) else 1
        return self.encode_whole(embeddings[:, :length], lengths)

    def encode_whole(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """See `TextTower.encode_whole`."""
        module, length = self.module, embeddings.shape[1]
        dtype = module.transformer.get_cast_dtype()
        tokens = embeddings.to(dtype) + module.positional_embedding[:length].to(dtype)
        tokens = module.transformer(tokens, attn_mask=module.attn_mask[:length, :length])
        features = module.ln_final(
            tokens[torch.arange(tokens.shape[0], device=tokens.device), lengths - 1]
        )
        return project(features, module.text_projection)


def project(features: Tensor, projection: nn.Linear | Tensor | None) -> Tensor:
    """(N, d) -> (N, D) by what open_clip keeps: a linear layer, a matrix (d, D), or nothing."""
    if projection is None:
        return features
    return projection(features) if isinstance(projection, nn.Linear) else features @ projection

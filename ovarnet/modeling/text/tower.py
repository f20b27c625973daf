"""CLIP's text tower on token EMBEDDINGS, so that learnable vectors can stand anywhere in a prompt.

N prompts of at most L tokens, d the tower's width, D the joint embedding space. open_clip's own
`encode_text` takes ids only, finds the end of a text by the largest id, and always computes the
full context length (77). Here the end is given, and only the longest prompt of the batch is
computed: under a causal mask no token sees what comes after it, so the cut changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor, nn

BATCH = 256
"""Prompts per pass: 5,000 words at once would need gigabytes for the activations."""


def text_module(model: nn.Module) -> nn.Module:
    """The module that owns the text tower's parts: the model itself for `open_clip.CLIP`, `.text`
    for the other classes.
    """
    return getattr(model, "text", model)


def takes_embeddings(model: nn.Module, tokenizer) -> bool:
    """Whether the tower is causal, is read at the end token, and speaks CLIP's BPE; SigLIP's and
    BERT-like towers are not.
    """
    tower = text_module(model)
    pool = getattr(model, "text_pool_type", None) or getattr(tower, "pool_type", None)
    has_parts = all(
        hasattr(tower, part)
        for part in ("transformer", "token_embedding", "positional_embedding", "ln_final")
    )
    causal = (
        getattr(tower, "attn_mask", None) is not None and getattr(tower, "cls_emb", None) is None
    )
    return (
        has_parts
        and causal
        and pool in ("argmax", "eos")
        and isinstance(tokenizer, SimpleTokenizer)
    )


def encode_embeddings(model: nn.Module, embeddings: Tensor, ends: Tensor) -> Tensor:
    """Features of prompts given as embeddings (N, L, d) without positions -> (N, D), not
    normalised.

    ends: (N,) index of each prompt's [EOT], where the feature is read. What stands after it does
    not matter. N may be 0.
    """
    tower = text_module(model)
    length = int(ends.max()) + 1 if len(ends) else 1
    dtype = tower.transformer.get_cast_dtype()
    tokens = embeddings[:, :length].to(dtype) + tower.positional_embedding[:length].to(dtype)
    tokens = tower.transformer(tokens, attn_mask=tower.attn_mask[:length, :length])
    features = tower.ln_final(tokens[torch.arange(len(tokens), device=tokens.device), ends])
    projection = tower.text_projection
    if projection is None:
        return features
    return projection(features) if isinstance(projection, nn.Linear) else features @ projection


def encode_sequences(
    model: nn.Module, sequences: Sequence[Sequence[int]], vectors: Tensor | None = None
) -> Tensor:
    """Features (N, D) of whole prompts [SOT] ... [EOT] given as ids, in the order given; a negative
    id ~k stands for `vectors[k]`.

    Differentiable in the tower and in `vectors` (K, d). Prompts of like length are computed
    together, at most BATCH at a time.
    """
    table = text_module(model).token_embedding.weight
    if not len(sequences):
        return table.new_zeros(0, _output_dim(model))
    order = sorted(range(len(sequences)), key=lambda i: len(sequences[i]))
    features = []
    for start in range(0, len(order), BATCH):
        chunk = [sequences[i] for i in order[start : start + BATCH]]
        ids = nn.utils.rnn.pad_sequence([torch.tensor(ids) for ids in chunk], batch_first=True).to(
            table.device
        )
        ends = torch.tensor([len(ids) - 1 for ids in chunk], device=table.device)
        features.append(encode_embeddings(model, _embed(model, ids, vectors), ends))
    back = torch.empty(len(order), dtype=torch.long, device=table.device)
    back[torch.tensor(order, device=table.device)] = torch.arange(len(order), device=table.device)
    return torch.cat(features)[back]


def _embed(model: nn.Module, ids: Tensor, vectors: Tensor | None) -> Tensor:
    embeddings = text_module(model).token_embedding(ids.clamp(min=0))
    if vectors is None or not len(vectors):
        return embeddings
    is_vector = (ids < 0).unsqueeze(-1)
    return torch.where(is_vector, vectors[(~ids).clamp(min=0)].to(embeddings.dtype), embeddings)


def _output_dim(model: nn.Module) -> int:
    tower = text_module(model)
    if isinstance(tower.text_projection, nn.Linear):
        return tower.text_projection.out_features
    return (
        tower.ln_final.normalized_shape[0]
        if tower.text_projection is None
        else tower.text_projection.shape[1]
    )

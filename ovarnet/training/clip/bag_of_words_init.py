"""A good start for a SMALL CLIP trained from nothing on few words: its text tower begins as a
weighted bag of words.

With the usual initialisation (word embeddings of deviation 0.02 under blocks of far larger outputs)
captions look alike at first and the texture words are learned late or never; measured in the
generated world. Never used for a tower that loads weights.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import torch
from torch import nn

from ovarnet.modeling.clip.clip import Clip

IDF_RANGE = 3.0
"""log(1 / document frequency) is clamped to [0, 3]: a word in 5 % of the captions or fewer has full
weight."""


@torch.no_grad()
def start_as_bag_of_words(clip: Clip, token_lists: Sequence[Sequence[int]]) -> None:
    """Set the text tower so that a caption's feature starts as the mean of its word embeddings,
    rare words weighing more.

    token_lists: the captions as token ids, for the document frequencies. Embeddings become
    unit-variance vectors; one coordinate carries the word's inverse document frequency; every
    block's output starts at zero, except the first attention, which copies (values and outputs are
    the identity) and attends by that coordinate alone.
    """
    model, table, width = clip.model, clip.token_embedding.weight, clip.text_width
    nn.init.normal_(table, std=1.0)
    table[:, 0] = -1.0
    for token, idf in inverse_document_frequency(token_lists).items():
        table[token, 0] = 2 * idf - 1
    marks = [*clip.require_text_tower().start, *clip.require_text_tower().end]
    table[marks] *= 0.1
    table[marks, 0] = -1.0
    nn.init.normal_(model.positional_embedding, std=0.01)
    for block in model.transformer.resblocks:
        nn.init.zeros_(block.attn.out_proj.weight)
        nn.init.zeros_(block.mlp.c_proj.weight)
    _attend_by_first_coordinate(model.transformer.resblocks[0].attn, width)
    nn.init.orthogonal_(model.text_projection)


def inverse_document_frequency(token_lists: Sequence[Sequence[int]]) -> dict[int, float]:
    """Token id -> log(1 / share of captions with it), clamped to [0, IDF_RANGE] and divided by it:
    0 everywhere, 1 rare.
    """
    counts = Counter(token for tokens in token_lists for token in set(tokens))
    return {
        token: min(max(math.log(len(token_lists) / count), 0.0), IDF_RANGE) / IDF_RANGE
        for token, count in counts.items()
    }


def _attend_by_first_coordinate(attention: nn.MultiheadAttention, width: int) -> None:
    """Query = a constant along the first coordinate of each head; key = the input's coordinate 0
    there; value and output = identity.
    """
    query, key, value = attention.in_proj_weight.view(3, width, width)
    query.zero_(), key.zero_(), value.copy_(torch.eye(width))
    attention.in_proj_bias.zero_()
    head_starts = torch.arange(0, width, width // attention.num_heads)
    key[head_starts, 0] = 1.0
    attention.in_proj_bias[head_starts] = 1.5 * math.sqrt(width // attention.num_heads)
    attention.out_proj.weight.copy_(torch.eye(width))
    attention.out_proj.bias.zero_()

"""Initialises the text tower of a SMALL CLIP as a weighted bag of words.

For a CLIP trained from scratch on few words, never for one that loads weights. With the usual
initialisation (word embeddings of standard deviation 0.02 under blocks with far larger outputs)
captions look alike at first, and texture words are learned late or never; measured in the generated
world.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import torch
from torch import nn

from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.text.causal_tower import CausalTower

MOST_IDF = 3.0
"""Inverse document frequencies are clamped to it: a word in 5 % of the captions or fewer has full
weight."""


@torch.no_grad()
def init_as_bag_of_words(clip: Clip, token_lists: Sequence[Sequence[int]]) -> None:
    """Set the weights of the text tower so that a caption's feature is a mean over its words.

    The mean is of word embeddings, in which rare words weigh more: embeddings become unit-variance
    vectors, one coordinate of which carries the inverse document frequency. The output of every
    block is zero, except for the first attention, which copies (values and outputs are the
    identity) and attends by that coordinate alone.

    Args:
        clip: With the causal text tower of OpenAI's CLIP.
        token_lists: Captions as token ids, for the document frequencies.

    Raises:
        InputError: `clip` has another text tower.
    """
    tower = clip.require_text_tower()
    if not isinstance(tower, CausalTower):
        raise InputError(
            f"bag_of_words_init needs the text tower of OpenAI's CLIP, which {clip.name} lacks; "
            "set it to false"
        )
    module, table, width = tower.module, clip.token_embedding.weight, clip.text_width

    # coordinate 0 of an embedding runs from -1 (in every caption) to 1 (rare)
    nn.init.normal_(table, std=1.0)
    table[:, 0] = -1.0
    for token, idf in inverse_document_frequency(token_lists).items():
        table[token, 0] = 2 * idf - 1

    # start and end are in every caption and say nothing
    marks = [*tower.start, *tower.end]
    table[marks] *= 0.1
    table[marks, 0] = -1.0
    nn.init.normal_(module.positional_embedding, std=0.01)

    for block in module.transformer.resblocks:
        nn.init.zeros_(block.attn.out_proj.weight)
        nn.init.zeros_(block.mlp.c_proj.weight)
    _attend_by_first_coordinate(module.transformer.resblocks[0].attn, width)
    nn.init.orthogonal_(module.text_projection)


def inverse_document_frequency(token_lists: Sequence[Sequence[int]]) -> dict[int, float]:
    """Token id -> log(1 / share of the captions with it), scaled to [0, 1]: 1 is rare."""
    counts = Counter(token for tokens in token_lists for token in set(tokens))
    return {
        token: min(max(math.log(len(token_lists) / count), 0.0), MOST_IDF) / MOST_IDF
        for token, count in counts.items()
    }


def _attend_by_first_coordinate(attention: nn.MultiheadAttention, width: int) -> None:
    """Query: a constant; key: the input's coordinate 0, in every head; value, output: identity."""
    query, key, value = attention.in_proj_weight.view(3, width, width)
    query.zero_()
    key.zero_()
    value.copy_(torch.eye(width))
    attention.in_proj_bias.zero_()
    head_width = width // attention.num_heads
    first_of_heads = torch.arange(0, width, head_width)
    key[first_of_heads, 0] = 1.0
    attention.in_proj_bias[first_of_heads] = 1.5 * math.sqrt(head_width)
    attention.out_proj.weight.copy_(torch.eye(width))
    attention.out_proj.bias.zero_()

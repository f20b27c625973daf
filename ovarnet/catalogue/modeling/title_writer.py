"""Writes a title from patches, with the encoder of a matcher and a sequence mask.

N products, T tokens, P patches, D width of a patch feature, H width of the encoder.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ovarnet.catalogue.modeling.matcher import MatcherNetwork
from ovarnet.catalogue.modeling.wordpiece import WordPiece
from ovarnet.catalogue.pretext.patch_tasks import WORDS


def sequence_mask(tokens: int, patches: int) -> Tensor:
    """Which tokens must not see which others.

    Patches and [CLS] see each other; a title token sees them and the title up to itself.

    Args:
        tokens: T, with [CLS].
        patches: P.

    Returns:
        (T + P, T + P) bool, True where the row must not see the column.
    """
    hidden = torch.zeros(tokens + patches, tokens + patches, dtype=torch.bool)
    hidden[:tokens, :tokens] = torch.triu(torch.ones(tokens, tokens, dtype=torch.bool), diagonal=1)
    hidden[tokens:, 1:tokens] = True
    return hidden


def title_states(
    network: MatcherNetwork, ids: Tensor, padding: Tensor, patches: Tensor, locations: Tensor
) -> Tensor:
    """States of title tokens under the sequence mask.

    Args:
        network: Of a matcher.
        ids: (N, T) int64, [CLS] first.
        padding: (N, T) bool.
        patches: (N, P, D).
        locations: (N, P, 5).

    Returns:
        (N, T, H).
    """
    hidden = sequence_mask(ids.shape[1], patches.shape[1]).to(ids.device)
    segments = torch.zeros_like(ids)
    return network.encoder(ids, segments, padding, patches, locations, hidden).text


@torch.no_grad()
def write_titles(
    network: MatcherNetwork,
    tokenizer: WordPiece,
    patches: Tensor,
    locations: Tensor,
    length: int,
) -> list[str]:
    """Write titles greedily: a [MASK] is appended and replaced by the most probable token.

    Args:
        network: Trained by stage `catalogue_captions`, in evaluation mode.
        tokenizer: Of the titles.
        patches: (N, P, D).
        locations: (N, P, 5).
        length: Most tokens, special ones included.

    Returns:
        N titles, each up to its [SEP].
    """
    count, device = len(patches), patches.device
    ids = torch.full((count, 1), tokenizer.cls, device=device)
    ended = torch.zeros(count, dtype=torch.bool, device=device)
    never = [tokenizer.pad, tokenizer.cls, tokenizer.mask, tokenizer.unknown]
    table = network.encoder.bert.tokens.weight
    while ids.shape[1] < length and not ended.all():
        asked = torch.cat([ids, ids.new_full((count, 1), tokenizer.mask)], dim=1)
        states = title_states(network, asked, torch.zeros_like(asked).bool(), patches, locations)
        logits = network.heads[WORDS](states[:, -1], table)
        logits[:, never] = float("-inf")
        chosen = logits.argmax(dim=1).masked_fill(ended, tokenizer.pad)
        ended = ended | (chosen == tokenizer.sep)
        ids = torch.cat([ids, chosen[:, None]], dim=1)
    return [tokenizer.decode(row) for row in ids.tolist()]

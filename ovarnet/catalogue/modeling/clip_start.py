"""Words and patches that begin in one space, that of the CLIP whose tower encodes the patches.

Ours, not of the papers, which start from BERT and train for days: from random embeddings a small
encoder sees for thousands of steps no relation between a word and a patch, and whether a title and
a photo match stays at chance. M photos, P patches, D width of the CLIP, H width of the encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovarnet.catalogue.modeling.encoder import open_clip
from ovarnet.catalogue.modeling.product_bert import (
    GridPatchEmbedding,
    KaleidoPatchEmbedding,
    ProductBert,
)
from ovarnet.catalogue.modeling.wordpiece import WordPiece
from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip

TOKEN_STD, PLACE_STD = 0.2, 0.02
"""Of the entries of token embeddings, and of positions and segments, which are added to them."""


def clip_of_patches(network: str, width: int) -> Clip:
    """The CLIP whose image tower encodes patches.

    Args:
        network: `crops.network` of the config.
        width: D, of the features of a patch.

    Returns:
        The CLIP, on the CPU.

    Raises:
        InputError: It is no CLIP.
    """
    clip = open_clip(network)
    if width != clip.embed_dim:
        raise InputError(
            f"encoder.start=clip needs patches in the joint space of {clip.name}, {clip.embed_dim} "
            f"wide; these are {width}"
        )
    return clip


@torch.no_grad()
def start_from_clip(
    encoder: ProductBert, tokenizer: WordPiece, clip: Clip, patches: Tensor
) -> None:
    """Set the embeddings of words and patches, so that a word is near the patches that show it.

    Every piece of the vocabulary gets the text tower's embedding of it, less the mean of all, which
    an orthogonal matrix brings to the width of the encoder; the same matrix, in each level, is the
    projection of patches, whose mean the embedding of the level or slot takes away.

    Args:
        encoder: Its embeddings are overwritten.
        tokenizer: Of the titles.
        clip: Whose image tower encoded the patches.
        patches: (M, P, D) clean features of training photos, see `clip_of_patches`.
    """
    bert = encoder.bert
    matrix = nn.init.orthogonal_(torch.empty(clip.embed_dim, bert.hidden))
    words = F.normalize(clip.encode_text(_texts(tokenizer), truncate=True).float(), dim=1) @ matrix
    words = words - words.mean(dim=0)
    bert.tokens.weight.copy_(words * (TOKEN_STD / words.std()))
    nn.init.normal_(bert.positions.weight, std=PLACE_STD)
    nn.init.normal_(bert.segments.weight, std=PLACE_STD)

    embedding = encoder.patches
    if isinstance(embedding, GridPatchEmbedding):
        embedding.slots.weight.copy_(_project(embedding.project, matrix, patches))
    else:
        assert isinstance(embedding, KaleidoPatchEmbedding)
        for level, (rows, project) in enumerate(
            zip(embedding.slices, embedding.project, strict=True)
        ):
            linear = cast(nn.Linear, project)
            embedding.levels.weight[level] = _project(linear, matrix, patches[:, rows])


def _texts(tokenizer: WordPiece) -> Sequence[str]:
    """The pieces as plain text."""
    pieces = (tokenizer.tokenizer.id_to_token(number) for number in range(tokenizer.size))
    return [(piece or "").removeprefix("##") for piece in pieces]


def _project(project: nn.Linear, matrix: Tensor, patches: Tensor) -> Tensor:
    """Set a projection, so that its output has deviation 1; returns (H,), less its mean."""
    mean = patches.flatten(0, 1).mean(dim=0)
    weight = matrix / ((patches - mean) @ matrix).std()
    project.weight.copy_(weight.T)
    return -mean @ weight

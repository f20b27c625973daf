"""Attentional pooling: a few transformer layers turn the pooled cells of a region into its
embedding (method section 5, Fig. 2).

R regions, S cells per side of a pooled region, C channels of the maps, d width of the tokens, D
width of the joint space.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

POSITION_DROPOUT = 0.2


class PatchMerging(nn.Module):
    """Every 2 x 2 cells become one token: (R, C, S, S) -> (R, S/2 * S/2, d), row by row. S must be
    even.
    """

    def __init__(self, channels: int, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels)
        self.project = nn.Linear(4 * channels, width, bias=False)

    def forward(self, cells: Tensor) -> Tensor:
        regions, channels, size, _ = cells.shape
        blocks = cells.reshape(regions, channels, size // 2, 2, size // 2, 2).permute(
            0, 2, 4, 3, 5, 1
        )
        return self.project(self.norm(blocks.reshape(regions, (size // 2) ** 2, 4 * channels)))


class AttentionPool(nn.Module):
    """Cells + learned positions, patch merging, [CLS] and [REG] tokens, post-norm transformer
    layers; then an embedding from [CLS] and box deltas from [REG].

    size: S, even (14 makes 49 tokens). layers: 4 in the paper's figure; with 0 the mean of the
    tokens takes the place of both. forward: (R, C, S, S) -> embeddings (R, D), not normalised, and
    deltas (R, 4). R may be 0.
    """

    def __init__(
        self,
        channels: int,
        embed_dim: int,
        *,
        size: int = 14,
        width: int = 512,
        layers: int = 4,
        heads: int = 8,
        hidden: int = 1024,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.embed_dim = embed_dim
        self.position = nn.Parameter(torch.randn(channels, size, size) * 0.02)
        self.dropout = nn.Dropout(POSITION_DROPOUT if dropout else 0.0)
        self.merge = PatchMerging(channels, width)
        self.queries = nn.Parameter(torch.zeros(2, width))  # [CLS], [REG]
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(width, heads, hidden, dropout, "gelu", batch_first=True)
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.embedding = nn.Sequential(
            nn.Linear(width, width), nn.LeakyReLU(), nn.Linear(width, embed_dim)
        )
        self.deltas = delta_branch(width)

    def forward(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        if not len(cells):
            return cells.new_zeros(0, self.embed_dim), cells.new_zeros(0, 4)
        class_token, box_token = self._tokens(self.merge(self.dropout(cells + self.position)))
        return self.embedding(class_token), self.deltas(box_token)

    def _tokens(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """(R, tokens, d) -> the two query tokens after the last layer, (R, d) each."""
        if not self.layers:
            mean = patches.mean(dim=1)
            return self.norm(mean + self.queries[0]), self.norm(mean + self.queries[1])
        tokens = torch.cat([self.queries.expand(len(patches), -1, -1), patches], dim=1)
        for layer in self.layers[:-1]:
            tokens = layer(tokens)
        return self.norm(first_tokens(self.layers[-1], tokens, len(self.queries))).unbind(dim=1)


def first_tokens(layer: nn.TransformerEncoderLayer, tokens: Tensor, count: int) -> Tensor:
    """`layer(tokens)[:, :count]` of a post-norm layer, without the work for the tokens that nobody
    reads: a fifth of four layers' time.
    """
    asked = tokens[:, :count]
    asked = layer.norm1(
        asked + layer.dropout1(layer.self_attn(asked, tokens, tokens, need_weights=False)[0])
    )
    hidden = layer.dropout(layer.activation(layer.linear1(asked)))
    return layer.norm2(asked + layer.dropout2(layer.linear2(hidden)))


def delta_branch(width: int) -> nn.Sequential:
    """Vector (R, width) -> box deltas (R, 4), near 0 at the start, so that boxes begin as they were
    proposed.
    """
    branch = nn.Sequential(nn.Linear(width, width // 2), nn.LeakyReLU(), nn.Linear(width // 2, 4))
    nn.init.normal_(branch[-1].weight, std=1e-3)
    nn.init.zeros_(branch[-1].bias)
    return branch

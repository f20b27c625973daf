"""One transformer over a title and the patches of a photo (FashionBERT, Kaleido-BERT).

N products, T text tokens, P patches, D width of a patch feature, H width of the encoder.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ovarnet.catalogue.modeling.bert import EPS, Bert, init_weights
from ovarnet.catalogue.modeling.patches import PatchLayout
from ovarnet.catalogue.modeling.wordpiece import IMAGE

LOCATION = 5


@dataclass
class Encoded:
    """Output of `ProductBert`.

    Attributes:
        text: (N, T, H) states of the tokens.
        patches: (N, P, H) states of the patches.
        pooled: (N, H) of the whole product.
    """

    text: Tensor
    patches: Tensor
    pooled: Tensor


class GridPatchEmbedding(nn.Module):
    """FashionBERT's patches: projected feature + learned slot + segment of images.

    Args:
        layout: Of one level.
        features: D.
        hidden: H.
        dropout: Of the features and of the sum.
    """

    def __init__(self, layout: PatchLayout, features: int, hidden: int, dropout: float):
        super().__init__()
        self.project = nn.Linear(features, hidden, bias=False)
        self.slots = nn.Embedding(layout.count, hidden)
        self.norm = nn.LayerNorm(hidden, eps=EPS)
        self.dropout = nn.Dropout(dropout)
        self.apply(init_weights)

    def forward(self, patches: Tensor, locations: Tensor, image_segment: Tensor) -> Tensor:  # noqa: ARG002
        """Embed patches.

        Args:
            patches: (N, P, D).
            locations: (N, P, 5), not used: a slot says where a patch of the grid is.
            image_segment: (H,) the encoder's row for images.

        Returns:
            (N, P, H).
        """
        projected = self.project(self.dropout(patches))
        return self.dropout(self.norm(projected + self.slots.weight + image_segment))


class KaleidoPatchEmbedding(nn.Module):
    """Kaleido-BERT's patches: projected feature + location + level.

    Every level has its own projection and norm; the projection of locations is shared.

    Args:
        layout: The levels.
        features: D.
        hidden: H.
        dropout: Of the features and of the sum.
    """

    def __init__(self, layout: PatchLayout, features: int, hidden: int, dropout: float):
        super().__init__()
        count = len(layout.levels)
        self.slices = layout.slices
        self.project = nn.ModuleList(nn.Linear(features, hidden, bias=False) for _ in range(count))
        self.location = nn.Linear(LOCATION, hidden, bias=False)
        self.levels = nn.Embedding(count, hidden)
        self.norms = nn.ModuleList(nn.LayerNorm(hidden, eps=EPS) for _ in range(count))
        self.dropout = nn.Dropout(dropout)
        self.apply(init_weights)

    def forward(self, patches: Tensor, locations: Tensor, image_segment: Tensor) -> Tensor:  # noqa: ARG002
        """Embed patches.

        Args:
            patches: (N, P, D).
            locations: (N, P, 5), see `locate`.
            image_segment: (H,), not used: the level says that a token is a patch.

        Returns:
            (N, P, H).
        """
        patches, places = self.dropout(patches), self.location(locations)
        embedded = [
            norm(project(patches[:, rows]) + places[:, rows] + level)
            for rows, project, norm, level in zip(
                self.slices, self.project, self.norms, self.levels.weight, strict=True
            )
        ]
        return self.dropout(torch.cat(embedded, dim=1))


class ProductBert(nn.Module):
    """Title and patches through one encoder, every token sees every other.

    Args:
        bert: The encoder with its text embeddings.
        layout: The patches; one level is embedded as FashionBERT does, several as Kaleido-BERT.
        features: D.
        dropout: Of the patch embedding.
    """

    def __init__(self, bert: Bert, layout: PatchLayout, *, features: int, dropout: float):
        super().__init__()
        self.bert, self.layout = bert, layout
        embedding = GridPatchEmbedding if len(layout.levels) == 1 else KaleidoPatchEmbedding
        self.patches = embedding(layout, features, bert.hidden, dropout)

    def forward(
        self,
        ids: Tensor,
        segments: Tensor,
        padding: Tensor,
        patches: Tensor,
        locations: Tensor,
        hidden_pairs: Tensor | None = None,
    ) -> Encoded:
        """Encode products.

        Args:
            ids: (N, T) int64 token ids.
            segments: (N, T) int64.
            padding: (N, T) bool, True where there is no token.
            patches: (N, P, D) features.
            locations: (N, P, 5).
            hidden_pairs: (T + P, T + P) bool, see `Bert.encode`.
        """
        text = self.bert.embed(ids, segments)
        image_segment = self.bert.segments.weight[IMAGE]
        tokens = torch.cat([text, self.patches(patches, locations, image_segment)], dim=1)
        all_padding = torch.cat([padding, padding.new_zeros(patches.shape[:2])], dim=1)

        states = self.bert.encode(tokens, all_padding, hidden_pairs)
        length = ids.shape[1]
        return Encoded(states[:, :length], states[:, length:], self.bert.pool(states))

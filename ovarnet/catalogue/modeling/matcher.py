"""FashionBERT and Kaleido-BERT with the heads of their tasks.

N products, T tokens, P patches, D width of a patch feature, H width of the encoder.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ovarnet.catalogue.modeling.bert import init_weights
from ovarnet.catalogue.modeling.heads import PatchHead, SlotHead, WordHead
from ovarnet.catalogue.modeling.product_bert import ProductBert
from ovarnet.catalogue.pretext.patch_tasks import (
    BLANK,
    CAMOUFLAGE,
    GREY,
    JIGSAW,
    K1,
    K2,
    K3,
    MATCH,
    ORDERS,
    ROTATION,
    TURNS,
    WORDS,
)

SLOT_TASKS = {ROTATION: (K1, TURNS), JIGSAW: (K2, len(ORDERS)), CAMOUFLAGE: (K3, 9)}
"""Task -> the patches whose states it reads, and its number of classes."""


class MatcherNetwork(nn.Module):
    """Encoder and heads.

    Args:
        encoder: Of titles and patches.
        features: D.
        tasks: Which have a head.
    """

    def __init__(self, encoder: ProductBert, *, features: int, tasks: Sequence[str]):
        super().__init__()
        self.encoder, self.tasks = encoder, tuple(tasks)
        hidden, vocabulary = encoder.bert.hidden, len(encoder.bert.tokens.weight)
        self.heads = nn.ModuleDict()
        if MATCH in tasks:
            self.heads[MATCH] = nn.Linear(hidden, 2).apply(init_weights)
        if WORDS in tasks:
            self.heads[WORDS] = WordHead(hidden, vocabulary)
        if GREY in tasks or BLANK in tasks:
            self.heads["patches"] = PatchHead(encoder.layout, hidden, features)
        for task, (rows, classes) in SLOT_TASKS.items():
            if task in tasks:
                self.heads[task] = SlotHead(rows.stop - rows.start, hidden, classes)

    @torch.no_grad()
    def match(
        self, ids: Tensor, segments: Tensor, padding: Tensor, patches: Tensor, locations: Tensor
    ) -> Tensor:
        """Probability that titles and photos belong together, nothing hidden; see `ProductBert`.

        Returns:
            (N,) in [0, 1].
        """
        pooled = self.encoder(ids, segments, padding, patches, locations).pooled
        return self.heads[MATCH](pooled).softmax(dim=1)[:, 1]

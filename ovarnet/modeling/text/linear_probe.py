"""A linear probe on region embeddings: what a user's own labels add to the score of a text.

R regions, W words, K words that the probe knows, D the joint embedding width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovarnet.vocabulary import KINDS, Kind


class LinearProbe(nn.Module):
    """z of a word becomes gain z + bias + v . w + b, with v the region's unit embedding.

    gain and bias are two numbers for each kind of word, so words that the probe does not know stay
    comparable with those it knows; w and b are a word's own, and 0 for unknown words.

    Args:
        names: {"category": [...], "attribute": [...]}, the words it knows, by name.
        width: D.
    """

    def __init__(self, names: Mapping[Kind, Sequence[str]], width: int):
        super().__init__()
        self.names = {kind: list(names[kind]) for kind in KINDS}
        self._rows = {
            kind: {name: row for row, name in enumerate(self.names[kind])} for kind in KINDS
        }
        for kind in KINDS:
            # gain, bias
            self.register_buffer(f"{kind}_calibration", torch.tensor([1.0, 0.0]))
            # (K, D + 1): w, b
            self.register_buffer(f"{kind}_weights", torch.zeros(len(self.names[kind]), width + 1))

    @torch.no_grad()
    def set(self, kind: Kind, calibration: tuple[float, float], weights: Tensor) -> None:
        """Set gain and bias, and (K, D + 1) `weights`, each row w and b."""
        getattr(self, f"{kind}_calibration").copy_(torch.tensor(calibration))
        getattr(self, f"{kind}_weights").copy_(weights)

    def forward(self, logits: Tensor, regions: Tensor, kind: Kind, names: Sequence[str]) -> Tensor:
        """Add what the probe knows.

        Args:
            logits: (R, W) of the words by their text.
            regions: (R, D), of any length.
            kind: of the words.
            names: of the W words.

        Returns:
            (R, W).
        """
        gain, bias = getattr(self, f"{kind}_calibration").to(logits.device)
        weights = getattr(self, f"{kind}_weights").to(logits.device)
        logits = gain * logits + bias
        known = [
            (column, self._rows[kind][name])
            for column, name in enumerate(names)
            if name in self._rows[kind]
        ]
        if known:
            columns, rows = map(list, zip(*known, strict=True))
            logits[:, columns] += (
                F.normalize(regions.float(), dim=-1) @ weights[rows, :-1].T + weights[rows, -1]
            )
        return logits

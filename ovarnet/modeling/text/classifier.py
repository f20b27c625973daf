"""Region embeddings against word embeddings: z = scale * cos(region, word) + bias (method 2.5).

R regions, W words, S strings (synonyms), D the joint embedding width. One matrix product, however
many words; a word's logit never depends on which other words are asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.text.linear_probe import LinearProbe
from ovarnet.modeling.text.prompts import (
    LearnedPrompts,
    TemplatePrompts,
    WordEmbeddings,
)
from ovarnet.vocabulary import KINDS, Kind, Word

NEUTRAL_TEXTS = ("a photo.", "an object.", "a photo of an object.", "a photo of something.")
MEMORY_LISTS = 32
"""Word lists kept in memory; a server that sees new words with every request must not grow without
bound."""


class TextClassifier(nn.Module):
    """Scores regions against words. The CLIP is used, not owned: whoever owns it moves, trains and
    saves it.

    What z is, for each kind of word, the first that applies: 1. after `calibrate(kind, scale,
      bias)`: scale * cos + bias, two numbers fitted on labels of base words; 2. with `bias` given:
      exp(theta) * cos + b, b learnable and shared by both kinds (0 is the authors' form, which
      trains from
         saturated sigmoids; a negative start keeps the first mean probability small);
      3. else, for a CLIP nobody fitted: exp(theta) * (cos - cos of a neutral text such as "a
         photo."). CLIP's cosines are all about .2, so sigmoid(exp(theta) * cos) would be 1 for
         every word.
    probe: where it is set, what one's own labels add to that
    (`ovarnet.modeling.text.linear_probe`); not in training.
    """

    def __init__(
        self, clip: Clip, prompts: TemplatePrompts | LearnedPrompts, *, bias: float | None = None
    ):
        super().__init__()
        self._clip = (clip,)  # in a tuple, so that it is not registered and saved a second time
        self.prompts = prompts
        self.bias = None if bias is None else nn.Parameter(torch.tensor(float(bias)))
        self.register_buffer(
            "calibration", torch.full((len(KINDS), 2), math.nan)
        )  # rows of KINDS: scale, bias; NaN: not calibrated
        self.probe: LinearProbe | None = None
        self._memory: dict[tuple, Any] = {}

    @property
    def clip(self) -> Clip:
        return self._clip[0]

    def calibrate(self, kind: Kind, scale: float, bias: float) -> None:
        """From now on z = scale * cos + bias for words of `kind`. Saved with the module's state."""
        if not (math.isfinite(scale) and math.isfinite(bias)):
            raise InputError(
                f"calibration of {kind} words must be two finite numbers; got {scale}, {bias}"
            )
        self.calibration[KINDS.index(kind)] = torch.tensor([scale, bias])

    def embed(self, words: Sequence[Word], kind: Kind) -> WordEmbeddings:
        """Words -> embeddings, on the CLIP's device. In training computed anew, with gradient; else
        cached, without.
        """
        if self.training:
            return self.prompts.encode(self.clip, words, kind)
        key = (kind, tuple((word.strings, word.parent) for word in words))
        found = self._remembered(key, lambda: self.prompts.encode(self.clip, words, kind))
        return (
            found
            if self.probe is None
            else replace(found, names=tuple(word.name for word in words))
        )

    def forward(self, regions: Tensor, words: WordEmbeddings) -> Tensor:
        """Regions (R, D), of any length, -> logits (R, W) float32. R and W may be 0."""
        logits = self._by_text(regions, words)
        return (
            logits
            if self.probe is None or self.training
            else self.probe(logits, regions, words.kind, words.names)
        )

    def _by_text(self, regions: Tensor, words: WordEmbeddings) -> Tensor:
        cosines = self.cosines(regions, words)
        row = self.calibration[KINDS.index(words.kind)].to(cosines.device)
        if not row.isnan().any():
            return row[0] * cosines + row[1]
        scale = self.clip.logit_scale.float().exp()
        if self.bias is not None:
            return scale * cosines + self.bias
        return scale * (cosines - F.normalize(regions.float(), dim=-1) @ self._neutral().T)

    def cosines(self, regions: Tensor, words: WordEmbeddings) -> Tensor:
        """Regions (R, D) -> cosines (R, W) float32; over a word's synonyms the mean in training,
        the largest else (method 2.4).
        """
        per_string = F.normalize(regions.float(), dim=-1) @ words.matrix.to(regions.device).T
        if not words.has_synonyms:
            return per_string
        how = "mean" if self.training else "amax"
        owner = words.owner.to(regions.device).expand(len(regions), -1)
        return per_string.new_zeros(len(regions), len(words)).scatter_reduce(
            1, owner, per_string, how, include_self=False
        )

    def train(self, mode: bool = True) -> TextClassifier:
        self._memory.clear()
        return super().train(mode)

    def _neutral(self) -> Tensor:
        """(1, D) unit vector: the mean of texts that name no object and no attribute."""

        def encode() -> Tensor:
            features = self.clip.encode_text(NEUTRAL_TEXTS).float()
            return F.normalize(F.normalize(features, dim=-1).mean(dim=0, keepdim=True), dim=-1)

        return encode() if self.training else self._remembered(NEUTRAL_TEXTS, encode)

    def _remembered(self, key: tuple, compute: Callable[[], Any]) -> Any:
        """What `compute` returns, without gradient, kept until a text weight or a prompt vector
        changes.
        """
        key = (key, self._weights_state())
        if key not in self._memory:
            # out of inference mode, or what is kept could never take part in training
            with torch.inference_mode(False), torch.no_grad():
                kept = compute()
            while len(self._memory) >= MEMORY_LISTS:
                self._memory.pop(next(iter(self._memory)))
            self._memory[key] = kept
        return self._memory[key]

    def _weights_state(self) -> tuple:
        """Changes whenever a text weight or a prompt vector is written, moved or replaced; costs no
        reading of the numbers.
        """
        tensors = [*self.clip.text_tensors(), *self.prompts.parameters()]
        return tuple(
            (tensor.data_ptr(), 0 if tensor.is_inference() else tensor._version)
            for tensor in tensors
        )

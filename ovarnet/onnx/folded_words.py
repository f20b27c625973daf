"""The classifier of an ONNX file that scores its words itself."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ovarnet.errors import InputError, did_you_mean
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import TemplatePrompts
from ovarnet.modeling.text.word_embeddings import WordEmbeddings
from ovarnet.onnx.words import OnnxClip
from ovarnet.vocabulary import Kind, Vocabulary, Word

SHOWN = 8
"""Most words that a message lists."""
SMALLEST = 1e-7
"""Probabilities are kept this far from 0 and 1, where logits are infinite."""


class FoldedClassifier(TextClassifier):
    """Picks columns of the scores that the graph computed.

    In place of region embeddings it takes `joined_scores`.

    Args:
        clip: without a text tower.
        words: those of the graph.
    """

    def __init__(self, clip: OnnxClip, words: Vocabulary):
        super().__init__(clip, TemplatePrompts())
        self.words = words
        self.eval()

    def embed(self, words: Sequence[Word], kind: Kind) -> WordEmbeddings:
        """The columns of words, in the `owner` of the result.

        Raises:
            InputError: a word that the graph does not score.
        """
        names = [word.name for word in self.words.of_kind(kind)]
        start = 0 if kind == "category" else len(self.words.categories)
        columns = {name: start + place for place, name in enumerate(names)}
        for word in words:
            if word.name not in columns:
                listed = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
                raise InputError(
                    f"the {kind} {word.name!r} is not among the words of this ONNX file"
                    f"{did_you_mean(word.name, names)} ({listed or 'none'}); export the model "
                    "without --words to name any"
                )
        owner = torch.tensor([columns[word.name] for word in words], dtype=torch.long)
        return WordEmbeddings(torch.zeros(len(words), 0), owner, len(words), kind)

    def forward(self, regions: Tensor, words: WordEmbeddings) -> Tensor:
        """Logits (R, W) of `joined_scores` (R, C + A)."""
        return regions[:, words.owner.to(regions.device)]


def joined_scores(category_scores: Tensor, attribute_scores: Tensor) -> Tensor:
    """Scores (R, C) and (R, A) as logits (R, C + A)."""
    return torch.cat([category_scores, attribute_scores], dim=-1).logit(SMALLEST)

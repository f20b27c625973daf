"""Ranks the regions of an image by a phrase: its category and its attributes together (the rule of
`Predictor.find`).

R regions, A attributes of the phrase.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ovarnet.captions.query import read_query
from ovarnet.modeling.region_model import RegionEmbeddings
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.word_embeddings import EncodedVocabulary
from ovarnet.structures import Detections
from ovarnet.vocabulary import Word


class Evidence(NamedTuple):
    """Probabilities in [0, 1] that speak for each region. objectness: (R,). category: (R, 1), or
    (R, 0) where the phrase names none. attributes: (R, A). phrase: (R, 1), or (R, 0) where the
    phrase is a single word or has no category.
    """

    objectness: Tensor
    category: Tensor
    attributes: Tensor
    phrase: Tensor

    def score(self) -> Tensor:
        """(R,) geometric mean of all of them: one that fails a word does not make up for it by
        another.
        """
        factors = torch.cat(
            [self.objectness[:, None], self.category, self.attributes, self.phrase], dim=1
        )
        return factors.double().log().mean(dim=1).exp().float()


class PhraseRanker:
    """Scores regions for one phrase. vocabulary: the model's words, encoded; they compete with those
    of the phrase.

    score = (objectness * p(category) * p(attribute 1) * ... * p(attribute A) * p(phrase)) ^ (1 /
    number of factors)

    p(word) is the softmax of its logit over the word and its competing words; of a word without
    competing words, the sigmoid. Rivals of a word that the vocabulary knows are the other words of
    its kind: all categories, or the attributes of its parent type ("red" against the other
    colours), those that the phrase also says left out. So the question is not whether a region is
    rather red, but whether it is red rather than orange, which a CLIP answers better. A word that
    the vocabulary does not know is judged by itself, because it may mean the same as any word
    there, or more ("vehicle"). p(phrase), for phrases with category and attributes: the phrase as
    one text, against the category alone and its competing words.
    """

    def __init__(self, classifier: TextClassifier, vocabulary: EncodedVocabulary, phrase: str):
        words = vocabulary.words
        self.classifier, self.vocabulary = classifier, vocabulary
        self.query = read_query(phrase, words)
        asked = words.with_words(
            [] if self.query.category is None else [self.query.category], self.query.attributes
        )
        whole = [Word(self.query.text)] if asked.categories and asked.attributes else []
        self.categories = classifier.embed([*asked.categories, *whole], "category")
        self.attributes = classifier.embed(asked.attributes, "attribute")
        self.competing_categories = competing_words(
            asked.categories, words.categories, same_parent=False
        )
        self.competing_attributes = competing_words(
            asked.attributes, words.attributes, same_parent=True
        )

    def evidence(
        self, regions: RegionEmbeddings, known: tuple[Tensor, Tensor] | None = None
    ) -> Evidence:
        """What speaks for each region; on the CPU. known: `vocabulary_logits`, where many phrases
        are ranked on the same regions.
        """
        other_categories, other_attributes = known or vocabulary_logits(
            self.classifier, self.vocabulary, regions
        )
        categories, attributes = (
            self.classifier(regions.embeddings, words).cpu()
            for words in (self.categories, self.attributes)
        )
        category, phrase = categories.tensor_split([len(self.competing_categories)], dim=1)
        nouns = torch.cat(
            [category, other_categories[:, self.competing_categories.any(dim=0)]], dim=1
        )
        return Evidence(
            regions.objectness.cpu(),
            probabilities(category, other_categories, self.competing_categories),
            probabilities(attributes, other_attributes, self.competing_attributes),
            torch.cat([phrase, nouns], dim=1).softmax(dim=1)[:, :1] if phrase.shape[1] else phrase,
        )

    def __call__(self, regions: RegionEmbeddings) -> Detections:
        """One row per region, in the same order."""
        evidence = self.evidence(regions)
        return Detections(
            regions.boxes.cpu(),
            evidence.score(),
            evidence.category,
            evidence.attributes,
            [self.query.category] if self.query.category is not None else [],
            list(self.query.attributes),
        )


def vocabulary_logits(
    classifier: TextClassifier, vocabulary: EncodedVocabulary, regions: RegionEmbeddings
) -> tuple[Tensor, Tensor]:
    """(R, C) and (R, A): logits of all words of the vocabulary, on the CPU; the same for every
    phrase.
    """
    categories, attributes = classifier.logits(regions.embeddings, vocabulary)
    return categories.cpu(), attributes.cpu()


def competing_words(asked: Sequence[Word], words: Sequence[Word], *, same_parent: bool) -> Tensor:
    """(asked, words) bool: which words each asked word is weighed against. None for an asked word
    that is not among the words; never a word that is asked itself, by its name or as a synonym.
    """
    named = [
        next((i for i, word in enumerate(words) if one.name in (word.name, *word.synonyms)), None)
        for one in asked
    ]
    table = torch.zeros(len(asked), len(words), dtype=torch.bool)
    for row, own in enumerate(named):
        if own is not None:
            table[row] = torch.tensor(
                [not same_parent or word.parent == words[own].parent for word in words]
            )
    table[:, [i for i in named if i is not None]] = False
    return table


def probabilities(logits: Tensor, others: Tensor, competing: Tensor) -> Tensor:
    """logits: (R, asked). others: (R, words). competing: (asked, words). -> (R, asked): softmax
    over a word and its competing words, or sigmoid.
    """
    columns = [
        torch.cat([logits[:, i : i + 1], others[:, against]], dim=1).softmax(dim=1)[:, 0]
        if against.any()
        else F.sigmoid(logits[:, i])
        for i, against in enumerate(competing)
    ]
    return torch.stack(columns, dim=1) if columns else logits.new_zeros(len(logits), 0)

"""Ranks the regions of an image by a phrase: its category and its attributes together.

This is the rule of `Predictor.find`. Letters: R regions, C categories and A attributes of the
vocabulary, Q words of the phrase.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ovarnet.captions.query import Query, read_query
from ovarnet.modeling.region_model import RegionEmbeddings
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.word_embeddings import EncodedVocabulary
from ovarnet.structures import Detections
from ovarnet.vocabulary import Word


class Evidence(NamedTuple):
    """The probabilities in [0, 1] that the score of each region is made of, on the CPU.

    Attributes:
        objectness: (R,).
        category: (R, 1), or (R, 0) where the phrase names no category.
        attributes: (R, Q), one column per attribute of the phrase.
        phrase: (R, 1), or (R, 0) where the phrase is a single word or has no category.
    """

    objectness: Tensor
    category: Tensor
    attributes: Tensor
    phrase: Tensor

    def score(self) -> Tensor:
        """(R,) geometric mean of all: a region that fails a word cannot compensate by another."""
        factors = torch.cat(
            [self.objectness[:, None], self.category, self.attributes, self.phrase], dim=1
        )
        return factors.double().log().mean(dim=1).exp().float()


class PhraseRanker:
    """Scores regions for one phrase.

    score = (objectness * p(category) * p(attribute 1) * ... * p(phrase)) ^ (1 / number of factors)

    p(word) is the softmax of its logit over the word and its competing words; without competing
    words, the sigmoid of its logit. A word that the vocabulary knows competes with the other words
    of its kind: with all categories, or with the attributes of its parent type ("red" with the
    other colours), except those that the phrase names too. So the question is not whether a region
    is rather red, but whether it is red rather than orange, which a CLIP answers better. A word
    that the vocabulary does not know has no competing words, because it may mean the same as any of
    them, or more ("vehicle"). p(phrase), for phrases with category and attributes, is that of the
    phrase as one text, against the category alone and its competing words.

    Args:
        classifier: Embeds the words of the phrase.
        vocabulary: The competing words, encoded.
        phrase: Such as "a small red striped mug"; or a `captions.query.Query`.

    Attributes:
        query: How the phrase was parsed.

    Raises:
        InputError: A phrase that `captions.query.read_query` refuses, or too long for the model.
    """

    def __init__(
        self, classifier: TextClassifier, vocabulary: EncodedVocabulary, phrase: str | Query
    ):
        words = vocabulary.words
        self.classifier, self.vocabulary = classifier, vocabulary
        self.query = read_query(phrase, words)
        category = [] if self.query.category is None else [self.query.category]
        queried = words.with_words(category, self.query.attributes)
        whole = [Word(self.query.text)] if queried.categories and queried.attributes else []
        self.categories = classifier.embed([*queried.categories, *whole], "category")
        self.attributes = classifier.embed(queried.attributes, "attribute")
        self.competing_categories = competing_words(
            queried.categories, words.categories, same_parent=False
        )
        self.competing_attributes = competing_words(
            queried.attributes, words.attributes, same_parent=True
        )

    def evidence(
        self, regions: RegionEmbeddings, known: tuple[Tensor, Tensor] | None = None
    ) -> Evidence:
        """The probabilities that speak for each region.

        Args:
            regions: R regions of an image.
            known: The result of `vocabulary_logits`, where many phrases are ranked on the same
                regions; None: it is computed.
        """
        other_categories, other_attributes = known or vocabulary_logits(
            self.classifier, self.vocabulary, regions
        )
        categories, attributes = (
            self.classifier(regions.embeddings, words).cpu()
            for words in (self.categories, self.attributes)
        )
        # the last column is that of the phrase as one text, where there is one
        category, phrase = categories.tensor_split([len(self.competing_categories)], dim=1)
        nouns = torch.cat(
            [category, other_categories[:, self.competing_categories.any(dim=0)]], dim=1
        )
        if phrase.shape[1]:
            phrase = torch.cat([phrase, nouns], dim=1).softmax(dim=1)[:, :1]
        return Evidence(
            regions.objectness.cpu(),
            probabilities(category, other_categories, self.competing_categories),
            probabilities(attributes, other_attributes, self.competing_attributes),
            phrase,
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
    """The logits of all words of the vocabulary, which are the same for every phrase.

    Args:
        classifier: Of the model.
        vocabulary: C categories and A attributes, encoded.
        regions: R regions of an image.

    Returns:
        (R, C) and (R, A), on the CPU.
    """
    categories, attributes = classifier.logits(regions.embeddings, vocabulary)
    return categories.cpu(), attributes.cpu()


def competing_words(queried: Sequence[Word], words: Sequence[Word], *, same_parent: bool) -> Tensor:
    """Which words of the vocabulary each queried word competes with.

    Args:
        queried: Q words of a phrase.
        words: C words of the vocabulary, of the same kind.
        same_parent: Only words of the same parent type compete.

    Returns:
        (Q, C) bool. A row is all False for a queried word that is not in the vocabulary; a column
        is for a word that is queried itself, by its name or as a synonym.
    """
    named = [
        next((i for i, word in enumerate(words) if own.name in (word.name, *word.synonyms)), None)
        for own in queried
    ]
    competing = torch.zeros(len(queried), len(words), dtype=torch.bool)
    for row, index in enumerate(named):
        if index is not None:
            competing[row] = torch.tensor(
                [not same_parent or word.parent == words[index].parent for word in words]
            )
    competing[:, [index for index in named if index is not None]] = False
    return competing


def probabilities(logits: Tensor, others: Tensor, competing: Tensor) -> Tensor:
    """The probability of each queried word, given its competing words.

    Args:
        logits: (R, Q) of the queried words.
        others: (R, C) of the vocabulary.
        competing: (Q, C) bool, from `competing_words`.

    Returns:
        (R, Q) in [0, 1]: softmax over a word and its competing words, or the sigmoid without any.
    """
    columns = [
        torch.cat([logits[:, i : i + 1], others[:, against]], dim=1).softmax(dim=1)[:, 0]
        if against.any()
        else F.sigmoid(logits[:, i])
        for i, against in enumerate(competing)
    ]
    return torch.stack(columns, dim=1) if columns else logits.new_zeros(len(logits), 0)

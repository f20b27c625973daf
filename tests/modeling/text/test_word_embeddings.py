"""Encoded words as values."""

import dataclasses

import pytest
import torch

from ovarnet.modeling.text.word_embeddings import EncodedVocabulary, WordEmbeddings
from ovarnet.vocabulary import Vocabulary


def embeddings(owner, **more):
    return WordEmbeddings(
        torch.eye(len(owner)), torch.tensor(owner), max(owner) + 1, "category", **more
    )


def test_length_is_of_the_words_and_synonyms_are_rows():
    assert len(embeddings([0, 1])) == 2
    assert not embeddings([0, 1]).has_synonyms
    assert len(embeddings([0, 0, 1])) == 2
    assert embeddings([0, 0, 1]).has_synonyms


def test_moving_keeps_everything():
    words = embeddings([0, 0, 1], names=("mug", "car"), neutral=torch.ones(1, 3))
    moved = words.to("meta")
    assert (moved.matrix.device.type, moved.owner.device.type) == ("meta", "meta")
    assert moved.neutral.device.type == "meta"
    assert (moved.length, moved.kind, moved.names) == (2, "category", ("mug", "car"))
    assert embeddings([0]).to("cpu").neutral is None


def test_a_vocabulary_moves_as_a_whole():
    words = Vocabulary.of(["mug", "car"], [])
    encoded = EncodedVocabulary(words, embeddings([0, 1]), embeddings([0]))
    moved = encoded.to("meta")
    assert moved.words is words
    assert {moved.categories.matrix.device.type, moved.attributes.matrix.device.type} == {"meta"}


def test_values_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        embeddings([0]).length = 3

"""Encoded words as values."""

import dataclasses

import pytest
import torch

from ovarnet.modeling.text.word_embeddings import EncodedVocabulary, WordEmbeddings, joined
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


def test_select_takes_words_with_all_their_rows():
    words = embeddings([0, 0, 1, 2, 2], names=("red", "blue", "old"))
    taken = words.select([2, 0])
    assert taken.matrix.argmax(dim=1).tolist() == [3, 4, 0, 1]
    assert taken.owner.tolist() == [0, 0, 1, 1]
    assert (len(taken), taken.names) == (2, ("old", "red"))
    nothing = words.select([])
    assert (nothing.matrix.shape, nothing.owner.tolist(), len(nothing)) == ((0, 5), [], 0)


def test_joined_counts_the_words_on():
    parts = [embeddings([0, 0], names=("red",)), embeddings([0, 1], names=("blue", "old"))]
    both = joined(parts)
    assert both.matrix.argmax(dim=1).tolist() == [0, 1, 0, 1]
    assert both.owner.tolist() == [0, 0, 1, 2]
    assert (len(both), both.names) == (3, ("red", "blue", "old"))


def test_merge_adds_the_words_with_new_names():
    def encoded(categories, value):
        rows = torch.full((len(categories), 2), value)
        owner = torch.arange(len(categories))
        nothing = WordEmbeddings(
            torch.zeros(0, 2), torch.zeros(0, dtype=torch.long), 0, "attribute"
        )
        words = WordEmbeddings(rows, owner, len(categories), "category", tuple(categories))
        return EncodedVocabulary(Vocabulary.of(categories), words, nothing)

    merged = encoded(["mug", "car"], 1.0).merge(encoded(["dog", "mug"], 2.0))
    assert merged.words.category_names == ["mug", "car", "dog"]
    assert merged.categories.names == ("mug", "car", "dog")
    assert merged.categories.matrix[:, 0].tolist() == [1.0, 1.0, 2.0]
    assert len(merged.attributes) == 0


def test_values_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        embeddings([0]).length = 3

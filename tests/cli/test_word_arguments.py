"""Which words a command scores, and which of them it need not encode."""

import argparse
import json

import pytest
import torch

from ovarnet.cli.word_arguments import (
    add_vocabulary_argument,
    add_word_arguments,
    completed,
    read_competing_words,
    read_queried_words,
)
from ovarnet.errors import InputError
from ovarnet.io.encoded_words import EncodedWords, write_encoded_words
from ovarnet.vocabulary import Vocabulary, Word


def parsed(*words):
    parser = argparse.ArgumentParser()
    add_word_arguments(parser)
    return parser.parse_args(words)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A vocabulary, and a file of encoded words."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v.json").write_text(
        json.dumps({"categories": ["mug", "car"], "attributes": [{"name": "red", "parent": "hue"}]})
    )
    encoded = EncodedWords(
        {"categories": [{"name": "dog"}], "attributes": []},
        "key",
        {"categories": torch.ones(1, 2), "attributes": torch.ones(0, 2)},
    )
    write_encoded_words(tmp_path / "e.safetensors", encoded)


class Model:
    """Notes what it is to encode."""

    def __init__(self):
        self.vocabulary = Vocabulary.of(["lamp"], [Word("red", "color", synonyms=("crimson",))])
        self.loaded = []

    def load_words(self, file):
        self.loaded.append(file)
        return "embeddings of e"

    def encode_vocabulary(self, categories, attributes, stored):
        return self.vocabulary.with_words(categories, attributes), stored


def test_words_of_the_command_line():
    queried = read_queried_words(parsed("--categories", "mug, car", "--attributes", ""))
    assert (queried.categories, queried.attributes) == (["mug", "car"], [])
    assert (queried.vocabulary, queried.encoded_files) == (None, ())
    assert queried.encode(Model()) == (Vocabulary.of(["mug", "car"]), None)


def test_files_of_vocabulary_are_merged_and_those_with_embeddings_are_known(files):
    queried = read_queried_words(parsed("--vocabulary", "v.json", "--vocabulary", "e.safetensors"))
    assert queried.vocabulary == Vocabulary.of(["mug", "car", "dog"], [Word("red", "hue")])
    assert queried.encoded_files == ("e.safetensors",)

    model = Model()
    words, stored = queried.encode(model)
    assert model.loaded == ["e.safetensors"]
    assert stored == "embeddings of e"
    # the file's own parent type, and the model's synonyms
    assert words == Vocabulary.of(["mug", "car", "dog"], [Word("red", "hue", False, ("crimson",))])


def test_categories_choose_among_the_vocabulary_and_may_be_encoded_themselves(files):
    line = ("--vocabulary", "v.json", "--categories", "e.safetensors")
    queried = read_queried_words(parsed(*line))
    assert (queried.categories, queried.attributes) == (["dog"], None)
    words, stored = queried.encode(Model())
    assert words.category_names == ["dog"]
    assert words.attribute_names == ["red"]
    assert stored == "embeddings of e"


def test_competing_words(files):
    assert read_competing_words(None) is None
    competing = read_competing_words(["v.json"])
    assert competing.vocabulary.category_names == ["mug", "car"]
    parser = argparse.ArgumentParser()
    add_vocabulary_argument(parser, "words that compete")
    assert "words that compete, categories and" in " ".join(parser.format_help().split())


def test_refusals(files, tmp_path):
    (tmp_path / "none.json").write_text("{}")
    for line, message in (
        (("--categories", "", "--attributes", ""), "are both empty"),
        (("--vocabulary", "none.json"), r"none\.json: no words"),
        (("--vocabulary", "words.txt"), r"words\.txt: no such file"),
        (("--attributes", "e.safetensors"), r"e\.safetensors holds no attributes"),
        (("--categories", "mug, mug"), "given twice"),
    ):
        with pytest.raises(InputError, match=message):
            read_queried_words(parsed(*line))


def test_completed_keeps_words_and_order():
    known = Vocabulary.of([Word("mug", "kitchen"), "lamp"])
    mine = Vocabulary.of(["dog", "mug"])
    assert completed(mine, known) == Vocabulary.of(["dog", Word("mug", "kitchen")])

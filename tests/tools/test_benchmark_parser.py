"""Precision and recall against captions labelled by hand; the captions themselves are not part of
this repository."""

import importlib.util
import json
import os
from pathlib import Path

import pytest

from ovarnet.captions import CaptionParser
from ovarnet.io.word_files import read_vocabulary
from ovarnet.vocabulary import Vocabulary

REPOSITORY = Path(__file__).parents[2]
LABELS = REPOSITORY / "tests" / "captions"
PHOTOS = Path(os.environ.get("OVARNET_TEST_PHOTOS", REPOSITORY.parent / "shared" / "data"))
CAPTIONS = PHOTOS / "flickr8k" / "captions.txt"


def benchmark():
    spec = importlib.util.spec_from_file_location(
        "benchmark_parser", REPOSITORY / "tools" / "benchmark_parser.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_labels_are_words_of_the_vocabulary():
    pairs = json.loads((LABELS / "flickr8k_labels.json").read_text(encoding="utf-8"))["pairs"]
    names = set(read_vocabulary(LABELS / "words.json").attribute_names)
    assert len(pairs) == 200
    assert sum(map(len, pairs.values())) == 155
    assert all(attribute in names for line in pairs.values() for attribute, _ in line)


def test_compare_counts_right_wrong_and_missed():
    parser = CaptionParser(Vocabulary.of(["dog"], ["red", "blue"]), "rules")
    found = benchmark().compare(
        parser, ["a red dog", "a blue hat"], {"1": [["red", "dog"], ["blue", "dog"]], "2": []}
    )
    assert found == {"right": ["1: red dog"], "missed": ["1: blue dog"], "wrong": ["2: blue hat"]}


@pytest.mark.skipif(
    not CAPTIONS.exists(), reason="needs flickr8k/captions.txt (OVARNET_TEST_PHOTOS)"
)
def test_precision_and_recall_of_the_rules():
    module = benchmark()
    labels = json.loads((LABELS / "flickr8k_labels.json").read_text(encoding="utf-8"))["pairs"]
    parser = CaptionParser(read_vocabulary(LABELS / "words.json"), "rules")
    found = {
        kind: len(entries)
        for kind, entries in module.compare(parser, module.caption_lines(CAPTIONS), labels).items()
    }
    assert found["right"] / (found["right"] + found["wrong"]) >= 0.90
    assert found["right"] / (found["right"] + found["missed"]) >= 0.80

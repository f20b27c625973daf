"""Precision and recall against captions and phrases labelled by hand.

The captions themselves are not part of this repository.
"""

import importlib.util
import json
import os
from pathlib import Path

import pytest

from ovarnet.captions import CaptionParser
from ovarnet.captions.pipelines import installed_pipelines
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


@pytest.fixture(scope="module")
def labels():
    return json.loads((LABELS / "flickr8k_labels.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("key", "captions", "pairs"), [("pairs", 200, 155), ("held_out", 100, 72)])
def test_labels_are_words_of_the_vocabulary(labels, key, captions, pairs):
    names = set(read_vocabulary(LABELS / "words.json").attribute_names)
    assert len(labels[key]) == captions
    assert sum(map(len, labels[key].values())) == pairs
    assert all(attribute in names for line in labels[key].values() for attribute, _ in line)


def test_no_caption_is_labelled_twice(labels):
    assert not labels["pairs"].keys() & labels["held_out"].keys()


def test_pairs_are_counted():
    parser = CaptionParser(Vocabulary.of(["dog"], ["red", "blue"]), "rules")
    found = benchmark().compare_captions(
        parser, ["a red dog", "a blue hat"], {"1": [["red", "dog"], ["blue", "dog"]], "2": []}
    )
    assert found == {"right": ["1: red dog"], "missed": ["1: blue dog"], "wrong": ["2: blue hat"]}


def test_words_of_phrases_are_counted():
    module = benchmark()
    labels = {
        "a red mug": {"category": "mug", "attributes": ["red", "big"], "left_out": []},
        "no cars": None,
        "a dog near a car": None,
    }
    counts = module.compare_phrases(module.QueryReader(), labels)
    assert counts == {
        "right": ["a red mug: attribute red", "a red mug: category mug", "no cars: refused"],
        "missed": ["a red mug: attribute big", "a dog near a car: refused"],
        "wrong": ["a dog near a car: category dog", "a dog near a car: left out car"],
    }
    assert module.summary("phrases", counts, 3).endswith(
        "phrases: precision 0.600 (3 of 5), recall 0.600 (3 of 5), 1 of 3 without an error"
    )


def test_fresh_phrases():
    module = benchmark()
    labels = json.loads((LABELS / "phrases.json").read_text(encoding="utf-8"))["fresh"]
    counts = module.compare_phrases(module.QueryReader(), labels)
    right, wrong, missed = (len(counts[kind]) for kind in ("right", "wrong", "missed"))
    assert right / (right + wrong) >= 0.95
    assert right / (right + missed) >= 0.95


@pytest.mark.slow
@pytest.mark.skipif(not installed_pipelines(), reason="needs a trained English spaCy pipeline")
def test_phrases_by_dependencies():
    module = benchmark()
    query = module.TrainedReader(installed_pipelines()[0]).read("a dirty mug next to a red car")
    assert (query.category, query.attributes) == ("mug", ("dirty",))
    assert query.unused == ("red", "car")


@pytest.mark.skipif(
    not CAPTIONS.exists(), reason="needs flickr8k/captions.txt (OVARNET_TEST_PHOTOS)"
)
@pytest.mark.parametrize(
    "pipeline",
    ["rules", *(pytest.param(name, marks=pytest.mark.slow) for name in installed_pipelines())],
)
@pytest.mark.parametrize("key", ["pairs", "held_out"])
def test_precision_and_recall_of_captions(labels, pipeline, key):
    module = benchmark()
    parser = CaptionParser(read_vocabulary(LABELS / "words.json"), pipeline)
    found = module.compare_captions(parser, module.caption_lines(CAPTIONS), labels[key])
    right, wrong, missed = (len(found[kind]) for kind in ("right", "wrong", "missed"))
    assert right / (right + wrong) >= 0.90
    assert right / (right + missed) >= 0.90

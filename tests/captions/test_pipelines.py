"""Which spaCy pipeline reads, and that an installed one is found under any name."""

from importlib.metadata import EntryPoint

import pytest
import spacy

from ovarnet.captions import CaptionParser, Pair, pipelines
from ovarnet.captions.matcher import Term
from ovarnet.captions.pipelines import (
    RULES,
    installed_pipelines,
    load_pipeline,
    name_of,
    read_relations,
)
from ovarnet.errors import InputError
from ovarnet.vocabulary import Vocabulary

INSTALLED = installed_pipelines()
with_a_pipeline = pytest.mark.skipif(
    not INSTALLED, reason="needs a trained English spaCy pipeline (pip install -e .[test])"
)


@pytest.fixture
def entries(monkeypatch):
    """Sets the pipelines that are installed."""

    def install(*names):
        points = [EntryPoint(name, name, "spacy_models") for name in names]
        monkeypatch.setattr(pipelines, "entry_points", lambda group: points)

    yield install
    pipelines._load.cache_clear()


def test_english_pipelines_are_found_under_any_name_the_smallest_of_spacys_own_first(entries):
    entries("en_legal", "en_core_web_trf", "de_core_news_sm", "en_core_web_sm_copy")
    assert installed_pipelines() == ["en_core_web_sm_copy", "en_core_web_trf", "en_legal"]


def test_without_an_installed_pipeline_the_rules_read(entries):
    entries("de_core_news_sm")
    assert name_of(load_pipeline(None)) == RULES


def test_a_pipeline_that_does_not_load_or_parse_is_passed_over(entries, monkeypatch):
    def load(name, exclude):
        if name == "en_core_web_sm":
            raise ValueError("[E011] made for another version")
        nlp = spacy.blank("en")
        nlp.meta["name"] = name[3:]
        if name == "en_good":
            nlp.add_pipe("parser")
        return nlp

    entries("en_core_web_sm", "en_bare", "en_good")
    monkeypatch.setattr(spacy, "load", load)
    assert name_of(load_pipeline(None)) == "en_good"
    with pytest.raises(
        InputError, match=r"en_core_web_sm: this spaCy pipeline cannot be loaded \("
    ):
        load_pipeline("en_core_web_sm")


def test_the_installed_pipelines_are_named_where_one_is_missing(entries):
    entries("en_core_web_sm")
    message = (
        "xx_nothing: no such spaCy pipeline .*; install it, or choose of: en_core_web_sm, rules"
    )
    with pytest.raises(InputError, match=message):
        load_pipeline("xx_nothing")


def test_a_pipeline_without_a_parser_is_refused():
    with pytest.raises(InputError, match='this spaCy pipeline has no "parser"'):
        load_pipeline(spacy.blank("en"))


def test_a_pipeline_is_loaded_once(entries, monkeypatch):
    entries("en_one")
    loaded = []

    def load(name, exclude):
        loaded.append(name)
        nlp = spacy.blank("en")
        nlp.add_pipe("parser")
        return nlp

    monkeypatch.setattr(spacy, "load", load)
    words = Vocabulary.of(["dog"], ["red"])
    assert CaptionParser(words).nlp is CaptionParser(words, "en_one").nlp
    assert loaded == ["en_one"]
    assert load_pipeline(RULES) is load_pipeline(RULES)


def test_a_document_without_a_parse_is_read_by_the_rules():
    doc = spacy.blank("en")("a red dog")
    assert read_relations(doc, [Term(1, 2, None, ("red",))]).links == {1: [2]}


@with_a_pipeline
@pytest.mark.parametrize("name", INSTALLED)
def test_an_installed_pipeline_reads_captions(name):
    parser = CaptionParser(Vocabulary.of(["dog", "car"], ["red", "black", "white"]), name)
    assert parser.pipeline == name
    record = parser.parse("Two black dogs sit near a car that is not white but red .")
    assert record.categories == ("dog", "car")
    assert set(record.pairs) == {Pair("black", "dog", "dog"), Pair("red", "car", "car")}


@with_a_pipeline
def test_an_installed_pipeline_is_the_default():
    assert CaptionParser(Vocabulary.of(["dog"])).pipeline == INSTALLED[0]


@pytest.fixture(scope="module")
def both_parsers():
    words = Vocabulary.of(["dog", "cat"], ["red", "black"])
    return [CaptionParser(words, name) for name in (RULES, INSTALLED[0])]


@with_a_pipeline
@pytest.mark.parametrize(
    ("text", "categories", "pairs"),
    [
        ("not a dog but a red cat", ["cat"], [("red", "cat")]),
        ("this is not a dog", [], []),
        ("neither a dog nor a cat", [], []),
        ("neither red nor black cats", ["cat"], []),
        ("anything but a dog", [], []),
        ("any cat but the black one", ["cat"], []),
        ("a cat, not a dog", ["cat"], []),
        ("a cat other than the black one", ["cat"], []),
        ("none of the dogs", [], []),
        ("a cat not wearing a red hat", ["cat"], []),
        ("not only a dog but also a red cat", ["dog", "cat"], [("red", "cat")]),
        ("a non-red cat", ["cat"], []),
    ],
)
def test_negation_by_either_grammar(both_parsers, text, categories, pairs):
    for parser in both_parsers:
        record = parser.parse(text)
        assert list(record.categories) == categories, parser.pipeline
        assert [(pair.attribute, pair.noun) for pair in record.pairs] == pairs, parser.pipeline

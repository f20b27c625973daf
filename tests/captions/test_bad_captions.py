"""Captions nobody should have written still give a record."""

import time

import pytest

from ovarnet.captions import CaptionParser, ParsedCaption
from ovarnet.errors import InputError
from ovarnet.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def parser() -> CaptionParser:
    return CaptionParser(Vocabulary.of(["dog"], ["red"]), "rules")


@pytest.mark.parametrize("text", ["", "   ", "...", "-", "一只红色的狗", "красная собака", "🐶🐶", "a the of", "\x00\x07", "a photograph"])
def test_no_known_word_gives_empty_lists(parser, text):
    record = parser.parse(text)
    assert not record.known_words and (record.categories, record.attributes, record.pairs) == ((), (), ())


def test_known_words_among_other_scripts_and_control_characters(parser):
    assert parser.parse("собака a red\x00\x1fdog\u200b 狗").pairs == (("red", "dog", "dog"),)
    assert parser.parse("A RED DOG!!!").pairs == (("red", "dog", "dog"),)


def test_ten_thousand_characters_take_no_time(parser):
    start = time.process_time()
    for text in ("a red dog and " * 720, "a" * 10_000, "red " * 2_500, "-" * 10_000, "( " * 5_000, "red , " * 1_700, "one " * 2_500):
        parser.parse(text)
    assert time.process_time() - start < 2
    assert parser.parse("a red dog and " * 720).pairs == (("red", "dog", "dog"),)


def test_not_a_string(parser):
    with pytest.raises(InputError, match="must be a string, not NoneType"):
        parser.parse(None)


def test_a_pipeline_that_is_not_installed():
    with pytest.raises(InputError, match='xx_nothing: no such spaCy pipeline is installed; install it, or use "rules"'):
        CaptionParser(Vocabulary.of(["dog"]), "xx_nothing")


def test_a_record_as_json(parser):
    record = ParsedCaption.joined(map(parser.parse, ["a red dog", "a dog that is red", "the sky"]))
    assert record.to_json() == {"text": "a red dog\na dog that is red\nthe sky", "categories": ["dog"], "attributes": ["red"],
                                "pairs": [{"attribute": "red", "noun": "dog", "category": "dog"}], "phrases": ["red dog", "dog", "sky"]}


def test_empty_vocabulary_still_gives_phrases():
    assert CaptionParser(Vocabulary.of(), "rules").parse("a dog on the sofa").phrases == ("dog", "sofa")

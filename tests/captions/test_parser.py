"""Captions nobody should have written still give a record."""

import sys

import pytest

from ovarnet.captions import CaptionParser, ParsedCaption
from ovarnet.captions.parser import LONGEST_CAPTION
from ovarnet.captions.query import read_query
from ovarnet.errors import InputError
from ovarnet.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def parser() -> CaptionParser:
    return CaptionParser(Vocabulary.of(["dog"], ["red"]), "rules")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "...",
        "-",
        "一只红色的狗",
        "красная собака",
        "🐶🐶",
        "a the of",
        "\x00\x07",
        "a photograph",
    ],
)
def test_no_known_word_gives_empty_lists(parser, text):
    record = parser.parse(text)
    assert not record.known_words
    assert (record.categories, record.attributes, record.pairs) == (
        (),
        (),
        (),
    )


def test_known_words_among_other_scripts_and_control_characters(parser):
    assert parser.parse("собака a red\x00\x1fdog\u200b 狗").pairs == (("red", "dog", "dog"),)
    assert parser.parse("A RED DOG!!!").pairs == (("red", "dog", "dog"),)


def calls(read, text):
    """How many calls, of Python and of C functions, a text takes: its time, whatever the machine
    does beside."""
    count = 0

    def note(frame, event, what):
        nonlocal count
        count += event in ("call", "c_call")

    read(text)  # what is loaded or cached the first time does not count
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        read(text)
    finally:
        sys.setprofile(before)
    return count


PARTS = [
    "a red dog and ",
    "a",
    "red ",
    "-",
    "( ",
    "red , ",
    "one ",
    "a dog is red and ",
    "a red and ",
    "not ",
    "neither ",
    "no longer ",
    "back ",
    "any but ",
    "other than ",
    "light blue ",
    "non-",
    "a-b ",
    "dog that is red stops ",
    "red, not green, dog ",
    "full of ",
    "made of ",
    "painted red ",
    "'s ",
    "dog red ",
    "a dog that chases a cat ",
]


@pytest.mark.parametrize("part", PARTS)
def test_time_grows_with_the_length_of_a_caption(parser, part):
    quarter, whole = (
        part * (characters // len(part)) for characters in (LONGEST_CAPTION // 4, LONGEST_CAPTION)
    )
    assert calls(parser.parse, whole) < 4.5 * calls(parser.parse, quarter) + 100


@pytest.mark.parametrize("part", ["light ", "light blue ", "semi-", "a pair of ", "not red "])
def test_time_grows_with_the_length_of_a_phrase(part):
    quarter, whole = ("mug " + part * (length // len(part)) for length in (500, 2_000))
    assert calls(read_query, whole) < 4.5 * calls(read_query, quarter) + 100


def test_of_ten_thousand_characters_the_first_two_thousand_are_read(parser):
    record = parser.parse("a red dog and " * 720)
    assert record.pairs == (("red", "dog", "dog"),)
    assert len(record.text) <= LONGEST_CAPTION == 2_000
    assert parser.parse("-" * 10_000 + "a red dog").categories == ()


def test_not_a_string(parser):
    with pytest.raises(InputError, match="must be a string, not NoneType"):
        parser.parse(None)


def test_a_pipeline_that_is_not_installed():
    with pytest.raises(
        InputError,
        match="xx_nothing: no such spaCy pipeline is installed; install it, or choose of: ",
    ):
        CaptionParser(Vocabulary.of(["dog"]), "xx_nothing")


def test_a_record_as_json(parser):
    record = ParsedCaption.joined(map(parser.parse, ["a red dog", "a dog that is red", "the sky"]))
    assert record.to_json() == {
        "text": "a red dog\na dog that is red\nthe sky",
        "categories": ["dog"],
        "attributes": ["red"],
        "pairs": [{"attribute": "red", "noun": "dog", "category": "dog"}],
        "phrases": ["red dog", "dog", "sky"],
    }


def test_empty_vocabulary_still_gives_phrases():
    assert CaptionParser(Vocabulary.of(), "rules").parse("a dog on the sofa").phrases == (
        "dog",
        "sofa",
    )

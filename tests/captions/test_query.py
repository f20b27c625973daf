"""Search phrases: category and attributes, with words of any kind."""

import json
from pathlib import Path

import pytest

from ovarnet.captions.query import Query, named_query, read_query
from ovarnet.errors import InputError
from ovarnet.vocabulary import Vocabulary, Word

PHRASES = json.loads((Path(__file__).parent / "phrases.json").read_text(encoding="utf-8"))
WORDS = Vocabulary.of(
    [Word("car", synonyms=("car", "automobile"))],
    [
        "gray",
        "upside-down",
        "snow covered",
        Word("shiny", synonyms=("shiny", "glossy")),
        Word("large", synonyms=("large", "big")),
    ],
)

UNKNOWN = [
    ("a small red striped mug", "mug", ["small", "red", "striped"]),
    ("small striped mugs", "mug", ["small", "striped"]),
    ("a car that is white", "car", ["white"]),
    ("a mug that is puce", "mug", ["puce"]),  # in no list
    ("a dog running in the park", "dog", ["running"]),
    ("a mug, red and shiny", "mug", ["red", "shiny"]),
    ("a mug with a striped pattern", "mug", ["striped"]),
    ("a table made of wood", "table", ["wood"]),
    ("a door painted red", "door", ["red"]),
    ("a black and a white cat", "cat", ["black", "white"]),
    ("light blue car", "car", ["light blue"]),
    ("long-haired dog", "dog", ["long-haired"]),
    ("two red fire hydrants", "fire hydrant", ["red"]),
    ("red t-shirt", "t-shirt", ["red"]),
    ("coffee mug", "coffee mug", []),
    ("a boy's red hat", "hat", ["red"]),
    ("a photo of a Red Car", "car", ["red"]),
    ("red", None, ["red"]),
    ("sleeping", None, ["sleeping"]),
    ("something red", None, ["red"]),
    ("the red thing", None, ["red"]),
    ("the big one", None, ["big"]),
    ("杯子", "杯子", []),
    ("a semi-transparent bag", "bag", ["semi-transparent"]),
    ("brand-new bike", "bike", ["brand-new"]),
    ("off-white mug", "mug", ["off-white"]),
    ("tri-colored dog", "dog", ["tri-colored"]),
    ("brown-colored dog", "dog", ["brown"]),
    ("sky blue dress", "dress", ["sky blue"]),
    ("red-and-white flag", "flag", ["red", "white"]),
    ("an unripe banana", "banana", ["unripe"]),
    ("the tallest building", "building", ["tallest"]),
    ("a pair of red shoes", "shoe", ["red"]),
    ("a new pair of shoes", "shoe", ["new"]),
    ("a herd of black cows", "cow", ["black"]),
    ("one of the red cars", "car", ["red"]),
    ("a shirt that's blue", "shirt", ["blue"]),
    ("a peach", "peach", []),
    ("a glass full of water", "glass", ["full"]),
    ("an empty parking lot", "parking lot", ["empty"]),
    ("nothing but a red car", "car", ["red"]),
    ("not only red but also blue mug", "mug", ["red", "blue"]),
]


@pytest.mark.parametrize(("phrase", "category", "attributes"), UNKNOWN)
def test_without_a_vocabulary(phrase, category, attributes):
    query = read_query(phrase)
    assert (query.category, list(query.attributes)) == (category, attributes)


@pytest.mark.parametrize(
    ("phrase", "category", "attributes"),
    [
        ("upside down grey cars", "car", ["upside-down", "gray"]),
        ("snow-covered trees", "tree", ["snow covered"]),
        (
            "the glossy automobile",
            "automobile",
            ["glossy"],
        ),  # a synonym stays the user's word, as the vocabulary writes it
        ("a large teapot", "teapot", ["large"]),
    ],
)
def test_known_words_are_spelled_as_in_the_vocabulary(phrase, category, attributes):
    query = read_query(phrase, WORDS)
    assert (query.category, list(query.attributes)) == (category, attributes)


LEFT_OUT = [
    ("a dog next to a red car", "dog", [], ["red", "car"]),
    ("person wearing a red hat", "person", [], ["wearing", "red", "hat"]),
    ("children playing soccer", "child", [], ["playing", "soccer"]),
    ("the red thing", None, ["red"], []),
    # what is not wanted
    ("a mug that is not red", "mug", [], ["red"]),
    ("a mug that is not red but blue", "mug", ["blue"], ["red"]),
    ("a not red but blue mug", "mug", ["blue"], ["red"]),
    ("a mug that never was red", "mug", [], ["red"]),
    ("a car that isn’t red", "car", [], ["red"]),
    ("neither red nor blue car", "car", [], ["red", "blue"]),
    ("a car that is neither red nor blue", "car", [], ["red", "blue"]),
    ("non-red mug", "mug", [], ["non-red"]),
    ("a fluffy, non-white cat", "cat", ["fluffy"], ["non-white"]),
    ("a car, not a truck", "car", [], ["truck"]),
    ("a car but never a truck", "car", [], ["truck"]),
    ("a cat rather than a dog", "cat", [], ["dog"]),
    ("any car but the red one", "car", [], ["red"]),
    ("a mug in any color but red", "mug", [], ["red"]),
    ("a mug other than the red one", "mug", [], ["red"]),
    ("a dog, but not a brown one", "dog", [], ["brown"]),
    ("a broken chair without a back", "chair", ["broken"], ["back"]),
    ("a man not wearing a red hat", "man", [], ["wearing", "red", "hat"]),
    ("a boy who does not have a helmet", "boy", [], ["helmet"]),
    ("dog -cat", "dog", [], ["cat"]),
    ("a glass not full", "glass", [], ["full"]),
    # where something is
    ("leftmost red car", "car", ["red"], ["leftmost"]),
    ("left-most red car", "car", ["red"], ["left-most"]),
    ("the top-left window", "window", [], ["top-left"]),
    ("the second bus from the left", "bus", [], ["second", "left"]),
    ("the zebra closest to the tree", "zebra", [], ["closest", "tree"]),
    ("a large group of people", "person", [], ["large"]),
]


@pytest.mark.parametrize(("phrase", "category", "attributes", "unused"), LEFT_OUT)
def test_what_is_not_scored_is_reported(phrase, category, attributes, unused):
    query = read_query(phrase)
    assert query.category == category
    assert list(query.attributes) == attributes
    assert list(query.unused) == unused


def test_the_scored_text_holds_nothing_that_is_left_out():
    assert read_query("a small mug that is not red").text == "small mug"
    assert read_query("the white dog next to a red car").text == "white dog"
    assert read_query("the small mug that is red").text == "small mug that is red"


@pytest.mark.parametrize(
    ("known", "phrase"),
    [("non-red", "non-red mug"), ("off white", "off-white mug"), ("leftmost", "leftmost mug")],
)
def test_what_the_vocabulary_knows_is_scored(known, phrase):
    query = read_query(phrase, Vocabulary.of(["mug"], [known]))
    assert query == Query(phrase, "mug", (known,))


def test_named_words_are_taken_as_they_are():
    query = named_query("Coffee  mug", ["wearing a red hat", "not red", "not red"])
    assert query == Query(
        "wearing a red hat not red Coffee mug", "Coffee mug", ("wearing a red hat", "not red")
    )
    assert named_query("mug") == Query("mug", "mug")
    assert named_query(attributes=["red"]) == Query("red", None, ("red",))


def test_named_words_have_the_vocabularys_spelling():
    query = read_query(named_query("Mugs", ["Grey", "puce"]), Vocabulary.of(["mug"], ["gray"]))
    assert query == Query("gray puce mug", "mug", ("gray", "puce"))


@pytest.mark.parametrize(
    ("category", "attributes", "message"),
    [
        (None, [], "nothing to look for"),
        (" ", [""], "nothing to look for"),
        ("mug", "red", "must be a list of strings"),
        ("mug", [7], "must be a list of strings"),
    ],
)
def test_nothing_is_named(category, attributes, message):
    with pytest.raises(InputError, match=message):
        named_query(category, attributes)


def test_labelled_phrases_are_words_of_their_phrase():
    for name, phrases in PHRASES.items():
        for phrase, label in phrases.items() if isinstance(phrases, dict) else ():
            words = [*label["attributes"], *label["left_out"]] if label else []
            assert all(word in phrase for word in words), (name, phrase)


@pytest.mark.parametrize(
    ("phrase", "label"), [*PHRASES["development"].items(), *PHRASES["held_out"].items()]
)
def test_labelled_phrases(phrase, label):
    if label is None:
        with pytest.raises(InputError, match="not wanted"):
            read_query(phrase)
        return
    query = read_query(phrase)
    assert query.category == label["category"]
    assert list(query.attributes) == label["attributes"]
    assert list(query.unused) == label["left_out"]


def test_the_text_is_tidied_and_has_no_article():
    assert read_query("  The  white\n car ").text == "white car"
    assert read_query("a photo of the white car").text == "white car"


@pytest.mark.parametrize(
    ("phrase", "message"),
    [
        ("", "names nothing"),
        (" ?! ", "names nothing"),
        ("no cars", "not wanted"),
        ("no red cars", "not wanted"),
        ("not a dog", "not wanted"),
        ("never a dog", "not wanted"),
        ("anything but a car", "not wanted"),
        ("everything except the dog", "not wanted"),
        ("something other than a car", "not wanted"),
        ("neither a dog nor a cat", "not wanted"),
        ("none of the cars", "not wanted"),
        ("nothing red", "not wanted"),
        ("isn't red", "not wanted"),
        ("the leftmost one", "only where something is"),
        ("the second one", "only where something is"),
        ("-cat", "the phrase '-cat' says only what is not wanted"),
        (7, "string, not int"),
    ],
)
def test_phrases_without_anything_to_find(phrase, message):
    with pytest.raises(InputError, match=message):
        read_query(phrase)

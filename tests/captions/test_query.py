"""Search phrases: category and attributes, with words of any kind."""

import pytest

from ovarnet.captions.query import Query, read_query
from ovarnet.errors import InputError
from ovarnet.scenes.world.words import vocabulary

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
    query = read_query(phrase, vocabulary())
    assert (query.category, list(query.attributes)) == (category, attributes)


def test_what_cannot_be_scored_is_told():
    assert read_query("a dog next to a red car").unused == ("red", "car")
    assert read_query("a mug that is not red") == Query("mug that is not red", "mug", (), ("red",))
    assert read_query("a mug that is not red but blue").attributes == ("blue",)
    assert read_query("the red thing").unused == ()


def test_the_text_is_tidied_and_has_no_article():
    assert read_query("  The  white\n car ").text == "white car"
    assert read_query("a photo of the white car").text == "white car"


@pytest.mark.parametrize(
    ("phrase", "message"),
    [
        ("", "names nothing"),
        (" ?! ", "names nothing"),
        ("no cars", "not wanted"),
        (7, "string, not int"),
    ],
)
def test_phrases_without_anything_to_find(phrase, message):
    with pytest.raises(InputError, match=message):
        read_query(phrase)

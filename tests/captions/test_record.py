"""What is recorded of a caption."""

from ovarnet.captions.record import Pair, ParsedCaption

RED = Pair("red", "dog", "dog")


def test_captions_of_one_image_are_joined():
    one = ParsedCaption("a red dog", ("dog",), ("red",), (RED,), ("red dog",))
    other = ParsedCaption("a dog, a cat", ("dog", "cat"), (), (), ("dog", "cat"))
    assert ParsedCaption.joined([one, other]) == ParsedCaption(
        "a red dog\na dog, a cat", ("dog", "cat"), ("red",), (RED,), ("red dog", "dog", "cat")
    )


def test_no_captions():
    assert ParsedCaption.joined([]) == ParsedCaption("")


def test_known_words():
    assert ParsedCaption("", categories=("dog",)).known_words
    assert ParsedCaption("", attributes=("red",)).known_words
    assert not ParsedCaption("the sky", phrases=("sky",)).known_words


def test_json():
    record = ParsedCaption("a red dog", ("dog",), ("red",), (RED, Pair("red", "hat")), ("red dog",))
    assert record.to_json() == {
        "text": "a red dog",
        "categories": ["dog"],
        "attributes": ["red"],
        "pairs": [
            {"attribute": "red", "noun": "dog", "category": "dog"},
            {"attribute": "red", "noun": "hat", "category": None},
        ],
        "phrases": ["red dog"],
    }

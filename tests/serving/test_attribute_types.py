import pytest

from ovarnet.serving.attribute_types import attribute_type
from ovarnet.vocabulary import Word


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (Word("upright", parent="pose"), "pose"),
        (Word("red"), "color"),
        (Word("Dark Red"), "color"),
        (Word("plastic"), "material"),
        (Word("wooden"), "material"),
        (Word("striped"), "pattern"),
        (Word("vertical cylinder"), "shape"),
        (Word("small"), "size"),
        (Word("side mirror"), "part"),
        (Word("broken"), "other"),
    ],
)
def test_type_of_the_vocabulary_or_of_the_meaning(word, expected):
    assert attribute_type(word) == expected

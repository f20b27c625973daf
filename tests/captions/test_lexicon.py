"""Word classes, one letter a word."""

import pytest

from ovarnet.captions.lexicon import is_describing, kind_of

KINDS = {
    "D": "the every neither",
    "#": "two several 12",
    "P": "in underneath",
    "Z": "without except excluding",
    "C": "and but nor",
    "B": "is were seems",
    "V": "has stood",
    "v": "run slide",
    "s": "stops slides",
    "g": "smiling painted eaten driven",
    "A": "young leftmost second hopeful snowy boneless unripe unmade semitransparent tallest",
    "O": "it nothing anyone",
    "W": "which who",
    "R": "very slowly",
    "X": "not n't n’t never",
    "S": "'s",
    "-": "- –",
    ",": ",",
    ".": "( 杯子 !",
    "n": "mug puppy ceiling bed forest unicorn union lights trigger underdog",
}


@pytest.mark.parametrize(
    ("kind", "word"), [(kind, word) for kind, words in KINDS.items() for word in words.split()]
)
def test_kind(kind, word):
    assert kind_of(word) == kind


@pytest.mark.parametrize(
    ("word", "describes"),
    [("red", True), ("wooden", True), ("broken", True), ("mug", False), ("", False)],
)
def test_describing_words(word, describes):
    assert is_describing(word) is describes


def test_other_forms_of_a_verb_describe_only_after_a_prefix():
    assert is_describing("made", made=True)
    assert not is_describing("made")

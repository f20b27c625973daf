import pytest

from ovarnet.errors import InputError
from ovarnet.vocabulary import Vocabulary, Word

RED, PLAID = Word("red", "color", seen=True), Word("plaid", "pattern")


def test_order_and_spelling_are_kept():
    words = ["mug", "Hot Dog", "café crème", "red, white and blue", "snow_board", "x" * 200]
    vocabulary = Vocabulary.of(words, ["shiny", "a b"])
    assert vocabulary.category_names == words
    assert vocabulary.category_index["snow_board"] == 4
    assert vocabulary.attribute_names == ["shiny", "a b"]
    assert vocabulary.categories[0] == Word("mug", "other", False, (), None)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a", "b", " a"], r"'a' is given twice \(words 1 and 3\)"),
        (["a", "  "], "word 2 is empty"),
        (["a" * 201], "has 201 characters; the limit is 200"),
        (["ok", 3], "not a string"),
        (["ok", "great \ud83d"], r"'great \\ud83d' holds half of a character"),
        ("mug", "got the single string 'mug'"),
        (5, "got int; give a list of words"),
    ],
)
def test_bad_words_are_one_clear_line(words, message):
    for kind in ("categories", "attributes"):
        with pytest.raises(InputError, match=message):
            Vocabulary.of(**{kind: words})


def test_one_side_or_both_may_be_empty_and_the_same_word_may_stand_on_both():
    assert Vocabulary.of() == Vocabulary()
    both = Vocabulary.of(["orange"], ["orange"])
    assert both.category_names == both.attribute_names == ["orange"]
    assert Vocabulary.of().category_seen.shape == (0,)


def test_seen_masks():
    vocabulary = Vocabulary.of(["mug"], [PLAID, RED])
    assert vocabulary.attribute_seen.tolist() == [False, True]
    assert vocabulary.category_seen.tolist() == [False]
    with pytest.raises(InputError, match="seen is 'yes'"):
        Word("a", seen="yes")


def test_strings_are_synonyms_or_the_name():
    assert RED.strings == ("red",)
    assert Word("tone:dark/black", synonyms=["dark", "black"]).strings == ("dark", "black")
    for wrong, told in (("abc", "the single string 'abc'"), (None, "NoneType"), (3, "int")):
        with pytest.raises(
            InputError, match=f"synonyms of 'red': got {told}; give a list of words"
        ):
            Word("red", synonyms=wrong)


def test_select_gives_the_order_asked_for_and_names_the_nearest_word():
    vocabulary = Vocabulary.of(["mug", "chair", "car"], [RED, PLAID])
    assert vocabulary.select(["car", "mug"]) == Vocabulary.of(["car", "mug"], [RED, PLAID])
    assert vocabulary.select([], ["plaid"]) == Vocabulary.of([], [PLAID])
    with pytest.raises(
        InputError, match=r"'chiar' is not among the 3 categories \(did you mean 'chair'\?\)"
    ):
        vocabulary.select(["chiar"])


def test_merge_keeps_order_and_fills_what_is_unknown():
    mine = Vocabulary.of(["mug", "car"], ["red"])
    other = Vocabulary.of(["bus", Word("mug", "kitchen", seen=True)], [RED, PLAID])
    merged = mine.merge(other)
    assert merged.categories == (Word("mug", "kitchen", True), Word("car"), Word("bus"))
    assert merged.attributes == (RED, PLAID)
    assert mine.merge(Vocabulary()) == mine == Vocabulary().merge(mine)


def test_novel_words_that_another_vocabulary_has_as_base_words():
    mine = Vocabulary.of(["mug", Word("car", seen=True), "bus"], ["red", "mug"])
    assert mine.novel_seen_by(
        Vocabulary.of([Word("car", seen=True), Word("mug", seen=True)], [Word("red", seen=True)])
    ) == ["mug", "red"]
    assert mine.novel_seen_by(mine) == mine.novel_seen_by(Vocabulary()) == []


def test_with_words_takes_what_is_known_and_keeps_the_users_strings():
    dark = Word("tone:dark/black", "tone", synonyms=("dark", "black"), group="tail")
    mine = Vocabulary.of(["mug"], [RED, dark])
    asked = mine.with_words(["a cup, blue", "mug"], ["Red", "black", "tone:dark/black", "new"])
    assert asked.category_names == ["a cup, blue", "mug"]
    assert asked.attributes == (
        Word("Red", "color", True),
        Word("black", "tone", group="tail"),
        dark,
        Word("new"),
    )
    assert mine.with_words() == mine
    assert mine.with_words([], None) == Vocabulary.of([], [RED, dark])
    with pytest.raises(InputError, match="given twice"):
        mine.with_words(["mug", "mug"])

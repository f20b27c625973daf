"""Tokens, words and segments of titles, from a vocabulary trained on a few titles."""

import pytest

from ovarnet.catalogue.modeling.wordpiece import QUERY, TITLE, WordPiece
from ovarnet.errors import InputError

TITLES = ["Red running shoes", "Blue mug", "red MUG with dots"] * 3


@pytest.fixture(scope="module")
def tokenizer():
    return WordPiece.train(TITLES)


def test_special_tokens_enclose_the_title_and_words_are_counted(tokenizer):
    tokens = tokenizer.encode("Red mug", None, 16)
    assert (tokens.ids[0], tokens.ids[-1]) == (tokenizer.cls, tokenizer.sep)
    assert tokens.names == ["red", "mug"]
    assert tokens.words == [-1, 0, 1, -1]
    assert tokens.segments == [TITLE] * 4
    assert tokens.spans() == {0: [1], 1: [2]}
    assert tokenizer.decode(tokens.ids) == "red mug"


def test_a_word_of_several_pieces_is_one_word(tokenizer):
    tokens = tokenizer.encode("runningshoes red", None, 16)
    assert tokens.names == ["runningshoes", "red"]
    assert len(tokens.spans()[0]) > 1
    assert len(tokens.spans()[1]) == 1


def test_a_query_stands_before_the_title_in_its_own_segment(tokenizer):
    tokens = tokenizer.encode("red mug", "blue mug", 16)
    assert tokens.names == ["blue", "mug", "red", "mug"]
    assert tokens.words == [-1, 0, 1, -1, 2, 3, -1]
    assert tokens.segments == [QUERY] * 4 + [TITLE] * 3
    assert tokens.ids.count(tokenizer.sep) == 2


def test_a_long_title_is_cut_before_the_last_separator(tokenizer):
    tokens = tokenizer.encode("red " * 30, None, 8)
    assert len(tokens.ids) == 8
    assert tokens.ids[-1] == tokenizer.sep
    assert tokens.was_cut
    both = tokenizer.encode("red " * 30, "blue " * 30, 8)
    assert len(both.ids) == 8
    assert both.segments == [QUERY] * 4 + [TITLE] * 4


def test_an_empty_title_and_an_unknown_letter(tokenizer):
    assert tokenizer.encode("", None, 8).ids == [tokenizer.cls, tokenizer.sep]
    assert tokenizer.encode("杯", None, 8).ids[1] == tokenizer.unknown


def test_round_trip_through_a_file(tokenizer, tmp_path):
    file = tmp_path / "tokenizer.json"
    file.write_text(tokenizer.to_json(), encoding="utf-8")
    again = WordPiece.read(file)
    assert again.encode(TITLES[2], None, 16) == tokenizer.encode(TITLES[2], None, 16)


def test_refusals(tmp_path):
    with pytest.raises(InputError, match="needs its tokenizer"):
        WordPiece.read(tmp_path / "tokenizer.json")
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="not a tokenizer"):
        WordPiece.read(tmp_path / "broken.json")
    plain = WordPiece.train(TITLES).to_json().replace('"[MASK]"', '"[mask]"')
    (tmp_path / "plain.json").write_text(plain, encoding="utf-8")
    with pytest.raises(InputError, match=r"no \[MASK\]"):
        WordPiece.read(tmp_path / "plain.json")


def test_a_vocabulary_is_letters_then_the_most_frequent_words():
    """Equal counts in alphabetical order; the titles' order does not matter."""
    titles = ["Red mug", "red bug", "a mug, red"]
    vocabulary = WordPiece.train(titles, size=17).tokenizer.get_vocab()
    assert vocabulary == WordPiece.train(titles[::-1], size=17).tokenizer.get_vocab()
    assert sorted(vocabulary, key=vocabulary.__getitem__) == [
        *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
        *(",", "a", "b", "m", "r"),
        *("##d", "##e", "##g", "##u"),
        *("red", "mug", "bug"),
    ]
    assert "bug" not in WordPiece.train(titles, size=16).tokenizer.get_vocab()

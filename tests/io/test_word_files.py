import json

import pytest

from ovarnet.errors import InputError
from ovarnet.io.word_files import read_vocabulary, read_words, write_vocabulary
from ovarnet.vocabulary import Vocabulary, Word

RED, PLAID = Word("red", "color", seen=True), Word("plaid", "pattern")


def written(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_save_and_load_round_trip(tmp_path):
    vocabulary = Vocabulary.of(
        ["café", Word("dog", "animal", True)],
        [RED, Word("tone:dark/black", "tone", False, ("dark", "black"), "tail", "color")],
    )
    write_vocabulary(tmp_path / "new" / "v.json", vocabulary)
    assert read_vocabulary(tmp_path / "new" / "v.json") == vocabulary
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["v.json"]
    assert hash(read_vocabulary(tmp_path / "new" / "v.json")) == hash(vocabulary)


def test_text_file_has_one_word_per_line(tmp_path):
    path = written(tmp_path / "w.txt", "\ufeffmug\n\n red, white and blue \r\nné\n")
    assert read_vocabulary(path, "attributes").attribute_names == [
        "mug",
        "red, white and blue",
        "né",
    ]
    with pytest.raises(InputError, match="say whether they are categories or attributes"):
        read_vocabulary(path)


def test_json_and_yaml_files(tmp_path):
    assert read_vocabulary(
        written(tmp_path / "l.json", ["a", "b"]), "categories"
    ).category_names == ["a", "b"]
    both = written(
        tmp_path / "b.json", {"attributes": ["red", {"name": "plaid", "parent": "pattern"}]}
    )
    assert read_vocabulary(both) == Vocabulary.of([], ["red", PLAID])
    yes = written(
        tmp_path / "y.yaml",
        "categories: [no, on, 7]\nattributes:\n- {name: red, parent: color, seen: true}\n- plaid\n",
    )
    vocabulary = read_vocabulary(yes)
    assert vocabulary.category_names == [
        "no",
        "on",
        "7",
    ]  # plain YAML would read False, True and a number
    assert vocabulary.attributes == (RED, Word("plaid"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", '{"categories": ["a"', "not valid JSON.*truncated"),
        ("a.json", "", "empty"),
        ("a.json", '"a"', "holds str at its top level"),
        ("a.json", '{"catgories": []}', "'catgories'.*did you mean 'categories'"),
        ("a.json", '{"categories": "a, b"}', "'categories' is str; expected a list"),
        (
            "a.json",
            '{"categories": [{"name": "a", "parnt": "b"}]}',
            "'parnt'.*did you mean 'parent'",
        ),
        ("a.json", '{"categories": [3]}', "3 is neither"),
        ("a.json", '{"categories": ["a", "a"]}', "given twice"),
        ("a.json", '{"categories": ["great \\ud83d"]}', "holds half of a character"),
        (
            "a.json",
            '{"categories": [{"name": "a", "seen": []}]}',
            r"word 'a': seen is \[\]; it must be true or false",
        ),
        (
            "a.json",
            '{"categories": [{"name": "a", "seen": {}}]}',
            r"word 'a': seen is \{\}; it must be true or false",
        ),
        (
            "a.json",
            '{"categories": [{"name": "a", "group": 2}]}',
            "word 'a': 2 is not a string; write it in quotes",
        ),
        (
            "a.json",
            '{"categories": [{"name": "a", "family": [1]}]}',
            r"word 'a': \[1\] is not a string",
        ),
        (
            "a.json",
            '{"categories": [{"name": "a", "synonyms": "b"}]}',
            "'synonyms' is str; expected a list",
        ),
        ("a.yaml", "a: [", "not valid YAML"),
        ("a.yaml", "just text", "expected a list of words"),
        ("a.csv", "a", "words are read from .txt"),
    ],
)
def test_bad_files(tmp_path, name, content, message):
    with pytest.raises(InputError, match=message) as raised:
        read_vocabulary(written(tmp_path / name, content))
    assert "\n" not in str(raised.value)
    assert str(raised.value).count(str(tmp_path / name)) == 1


def test_missing_and_non_utf8_files(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_vocabulary(tmp_path / "none.json")
    (tmp_path / "latin.txt").write_bytes("café".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8 text"):
        read_vocabulary(tmp_path / "latin.txt", "categories")


def test_read_words_from_an_argument(tmp_path):
    assert read_words('mug, hot dog ,"red, white and blue",é') == [
        "mug",
        "hot dog",
        "red, white and blue",
        "é",
    ]
    assert read_words("  ") == []
    assert read_words(str(written(tmp_path / "w.txt", "b, c\na\n"))) == ["b, c", "a"]
    saved = written(tmp_path / "v.json", {"categories": ["mug"], "attributes": ["red"]})
    assert read_words(str(saved), "categories") == ["mug"]
    for argument, message in {
        "a,,b": "word 2 is empty",
        '"a, b': "double quotes",
        "none.txt": "no such file",
        "b" * 300: "300 characters",
    }.items():
        with pytest.raises(InputError, match=message):
            read_words(argument)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "words.csv",
            None,
            r"words\.csv: words are read from \.txt, \.json, \.yaml, \.yml, \.safetensors "
            r"files; write one word per line into a \.txt file",
        ),
        ("words.csv", "mug", r"words are read from \.txt"),
        ("words.list", "mug", r"words\.list: words are read from \.txt"),
        ("words", "mug", r"words: words are read from \.txt"),
        (
            "words.txt",
            "\n",
            r'words\.txt holds no categories; write them into the file, or give "" for none',
        ),
        ("words.json", {"attributes": ["red"]}, r"words\.json holds no categories"),
        (
            "words.txt",
            "mug\nmug",
            r"words\.txt: categories: 'mug' is given twice \(words 1 and 2\)",
        ),
    ],
)
def test_a_file_is_never_taken_for_a_word(name, content, message, tmp_path):
    if content is not None:
        written(tmp_path / name, content)
    with pytest.raises(InputError, match=message):
        read_words(str(tmp_path / name), "categories")


def test_a_word_may_look_like_a_file_and_lines_are_no_words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "mug", "x")
    assert read_words("mug") == ["mug"]
    assert read_words("St. Bernard, either/or\n") == [
        "St. Bernard",
        "either/or",
    ]
    with pytest.raises(
        InputError,
        match=r"words 'mug\\ncar': a line break; separate words by commas, or give a \.txt file",
    ):
        read_words("mug\ncar")


@pytest.mark.parametrize(
    ("argument", "words", "note"),
    [
        ("mug . chair .", ["mug . chair ."], 'separate them by commas: "mug, chair"'),
        ("a mug. a chair.", ["a mug. a chair."], 'separate them by commas: "a mug, a chair"'),
        ("mug; chair", ["mug; chair"], 'separate them by commas: "mug, chair"'),
        ("mug | chair", ["mug | chair"], 'separate them by commas: "mug, chair"'),
        ("car, mug;chair", ["car", "mug;chair"], "'mug;chair' is taken as one word"),
    ],
)
def test_prompts_of_other_tools_are_noted(argument, words, note, caplog):
    assert read_words(argument) == words
    (record,) = caplog.records
    assert note in record.getMessage()


def test_a_text_file_of_one_line_with_commas_is_noted(tmp_path, caplog):
    path = written(tmp_path / "w.txt", "mug, chair\n")
    assert read_words(str(path)) == ["mug, chair"]
    assert caplog.messages == [
        f"{path}: 'mug, chair' is taken as one word; for several words, write one word per line: "
        "mug, then chair"
    ]
    caplog.clear()
    assert read_words(str(written(tmp_path / "l.json", ["mug; chair"])), "categories") == [
        "mug; chair"
    ]
    assert "write a list: ['mug', 'chair']" in caplog.text


@pytest.mark.parametrize(
    "word", ["St. Bernard", "either/or", "no. 7", "U.S. flag", "e.g.", "t-shirt"]
)
def test_ordinary_words_are_not_noted(word, tmp_path, caplog):
    assert read_words(word) == [word]
    path = written(tmp_path / "w.txt", f"red, white and blue\n{word}\n")
    assert read_words(str(path)) == ["red, white and blue", word]
    assert not caplog.records


def test_a_key_twice_is_refused_in_json_and_in_yaml(tmp_path):
    twice = written(tmp_path / "a.json", '{"categories": ["a"], "categories": ["b"]}')
    with pytest.raises(InputError, match="the key 'categories' occurs twice"):
        read_vocabulary(twice)
    twice = written(tmp_path / "a.yaml", "categories: [a]\ncategories: [b]\n")
    with pytest.raises(
        InputError, match=r"a\.yaml: not valid YAML \(the key 'categories' occurs twice"
    ):
        read_vocabulary(twice)

import json

import pytest

from ovarnet.errors import InputError
from ovarnet.vocabulary import Vocabulary, Word, read_words

RED, PLAID = Word("red", "color", seen=True), Word("plaid", "pattern")


def written(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


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


def test_save_and_load_round_trip(tmp_path):
    vocabulary = Vocabulary.of(
        ["café", Word("dog", "animal", True)],
        [RED, Word("tone:dark/black", "tone", False, ("dark", "black"), "tail", "color")],
    )
    vocabulary.save(tmp_path / "new" / "v.json")
    assert Vocabulary.load(tmp_path / "new" / "v.json") == vocabulary
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["v.json"]
    assert hash(Vocabulary.load(tmp_path / "new" / "v.json")) == hash(vocabulary)


def test_text_file_has_one_word_per_line(tmp_path):
    path = written(tmp_path / "w.txt", "\ufeffmug\n\n red, white and blue \r\nné\n")
    assert Vocabulary.from_file(path, "attributes").attribute_names == [
        "mug",
        "red, white and blue",
        "né",
    ]
    with pytest.raises(InputError, match="say whether they are categories or attributes"):
        Vocabulary.from_file(path)


def test_json_and_yaml_files(tmp_path):
    assert Vocabulary.from_file(
        written(tmp_path / "l.json", ["a", "b"]), "categories"
    ).category_names == ["a", "b"]
    both = written(
        tmp_path / "b.json", {"attributes": ["red", {"name": "plaid", "parent": "pattern"}]}
    )
    assert Vocabulary.from_file(both) == Vocabulary.of([], ["red", PLAID])
    yes = written(
        tmp_path / "y.yaml",
        "categories: [no, on, 7]\nattributes:\n- {name: red, parent: color, seen: true}\n- plaid\n",
    )
    vocabulary = Vocabulary.from_file(yes)
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
        Vocabulary.from_file(written(tmp_path / name, content))
    assert "\n" not in str(raised.value)
    assert str(raised.value).count(str(tmp_path / name)) == 1


def test_missing_and_non_utf8_files(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        Vocabulary.from_file(tmp_path / "none.json")
    (tmp_path / "latin.txt").write_bytes("café".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8 text"):
        Vocabulary.from_file(tmp_path / "latin.txt", "categories")


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
            r"words\.csv: words are read from \.txt, \.json, \.yaml, \.yml files; write one word per line into a \.txt file",
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


COCO = {
    "images": [],
    "annotations": [],
    "categories": [
        {"id": 18, "name": "dog", "supercategory": "animal"},
        {"id": 1, "name": "person", "supercategory": "person"},
        {"id": 10, "name": "traffic light", "supercategory": "outdoor"},
        {"id": 3, "name": "car"},
    ],
}


def test_from_coco(tmp_path):
    path = written(tmp_path / "instances.json", COCO)
    plain = Vocabulary.from_coco(path)
    assert plain.categories[0] == Word("dog", "animal")
    assert plain.category_names == [
        "dog",
        "person",
        "traffic light",
        "car",
    ]
    narrow = Vocabulary.from_coco(path, "48/17")
    assert narrow.category_names == [
        "dog",
        "person",
        "car",
    ]  # traffic light is one of the 15 ignored ones
    assert narrow.category_seen.tolist() == [False, True, True]
    wide = Vocabulary.from_coco(path, "48/32")
    assert wide.category_names == plain.category_names
    assert wide.category_seen.tolist() == [False, True, False, True]
    assert Vocabulary.from_coco(path, ["dog"]).category_seen.tolist() == [True, False, False, False]
    with pytest.raises(InputError, match="did you mean 'dog'"):
        Vocabulary.from_coco(path, ["dogg"])
    with pytest.raises(InputError, match="'48/18' is unknown"):
        Vocabulary.from_coco(path, "48/18")
    with pytest.raises(InputError, match="give a COCO instances file"):
        Vocabulary.from_coco(written(tmp_path / "x.json", {"images": []}))
    with pytest.raises(InputError, match=r"x\.json: word 'a': \[1\] is not a string"):
        Vocabulary.from_coco(
            written(tmp_path / "x.json", {"categories": [{"name": "a", "supercategory": [1]}]}),
            ["a"],
        )


def vaw_folder(tmp_path, **changed):
    files = {
        "attribute_index": {"dark": 1, "orange": 0, "odd": 3, "striped": 2},
        "attribute_types": {
            "hair color": ["dark"],
            "tone": ["dark"],
            "color": ["orange", "not in the index"],
            "pattern": ["striped"],
        },
        "attribute_parent_types": {
            "color": ["color", "tone", "hair color"],
            "texture": ["pattern"],
        },
        "head_tail": {"head": ["dark", "odd"], "medium": ["orange"], "tail": ["striped"]},
    }
    for name, content in {**files, **changed}.items():
        written(tmp_path / f"{name}.json", content)
    return tmp_path


def test_from_vaw(tmp_path):
    vocabulary = Vocabulary.from_vaw(vaw_folder(tmp_path))
    assert vocabulary.attributes == (
        Word("orange", "color", False, group="medium", family="color"),  # one of the 79 novel names
        Word(
            "dark", "hair color", True, group="head", family="color"
        ),  # in two subtypes: the first one counts
        Word("striped", "pattern", True, group="tail", family="texture"),
        Word("odd", "other", True, group="head", family="other"),
    )
    split = written(
        tmp_path / "common2rare_att2id.json",
        {"common": {"dark": 0, "odd": 1}, "rare": {"orange": 2}, "common_len": 2},
    )
    named = Vocabulary.from_vaw(tmp_path, split)
    assert named.attribute_names == ["orange", "dark", "odd"]
    assert named.attribute_seen.tolist() == [
        False,
        True,
        True,
    ]


def test_from_vaw_bad_input(tmp_path):
    with pytest.raises(InputError, match=r"attribute_index\.json: no such file"):
        Vocabulary.from_vaw(tmp_path)
    with pytest.raises(InputError, match=r"columns must be 0\.\.1"):
        Vocabulary.from_vaw(vaw_folder(tmp_path, attribute_index={"a": 0, "b": 2}))
    full = {
        f"word {i}": i for i in range(620)
    }  # a full-size index that spells the novel words otherwise would leak them into base
    with pytest.raises(InputError, match="'active' of the split is not among the 620"):
        Vocabulary.from_vaw(vaw_folder(tmp_path, attribute_index=full))


@pytest.mark.parametrize("name", ["head_tail", "attribute_types", "attribute_parent_types"])
@pytest.mark.parametrize(
    "wrong", ["dark orange", 3, None, {"dark": 1}, ["dark", 3]]
)  # a string would match every word inside it
def test_from_vaw_lists_that_are_none(tmp_path, name, wrong):
    with pytest.raises(InputError, match=rf"{name}\.json: 'color' is not a list of words"):
        Vocabulary.from_vaw(vaw_folder(tmp_path, **{name: {"color": wrong}}))


def test_from_vaw_names_the_folder_of_a_bad_word(tmp_path):
    with pytest.raises(InputError, match=r"has 201 characters") as raised:
        Vocabulary.from_vaw(vaw_folder(tmp_path, attribute_index={"a" * 201: 0}))
    assert str(raised.value).startswith(f"{tmp_path}: ")


def test_from_ovad(tmp_path):
    data = {
        "categories": [
            {"id": 1, "name": "person", "supercategory": "person", "ov_set": "base"},
            {"id": 18, "name": "dog", "supercategory": "animal", "ov_set": "novel"},
        ],
        "attributes": [
            {
                "id": 1,
                "name": "clothes color:red",
                "type": "clothes color",
                "parent_type": "color",
                "freq_set": "tail",
            },
            {
                "id": 0,
                "name": "maturity:young/baby",
                "type": "maturity",
                "parent_type": "maturity",
                "freq_set": "head",
            },
        ],
    }
    vocabulary = Vocabulary.from_ovad(written(tmp_path / "o.json", data))
    assert vocabulary.categories == (Word("person", "person", True), Word("dog", "animal", False))
    assert vocabulary.attributes == (
        Word("maturity:young/baby", "maturity", False, ("young", "baby"), "head", "maturity"),
        Word("clothes color:red", "clothes color", False, ("red",), "tail", "color"),
    )
    for wrong in (["head"], {}, 2):
        changed = {**data, "attributes": [{**data["attributes"][0], "freq_set": wrong}]}
        with pytest.raises(
            InputError, match=r"o\.json: word 'clothes color:red': .* is not a string"
        ):
            Vocabulary.from_ovad(written(tmp_path / "o.json", changed))
    del data["attributes"][0]["freq_set"]
    with pytest.raises(InputError, match="lacks 'freq_set'"):
        Vocabulary.from_ovad(written(tmp_path / "o.json", data))


def test_from_lsa(tmp_path):
    content = {
        "common2": {"in front of door": 2},
        "common1": {"red": 1, "tall": 0},
        "common1_len": 2,
        "common2_len": 1,
    }
    vocabulary = Vocabulary.from_lsa(written(tmp_path / "c.json", content))
    assert vocabulary.attribute_names == [
        "tall",
        "red",
        "in front of door",
    ]  # by id; base and novel by the NAME of the group
    assert vocabulary.attribute_seen.tolist() == [True, True, False]
    for wrong, message in (
        (({"a": {"x": 0}}), r"groups are \['a'\]"),
        ({"base": {"x": 0}, "novel": {"x": 1}}, "both base and novel"),
        ({"base": {"x": 0}, "novel": {"y": 0}}, "each used once"),
        ({"base": {" ": 0}}, r"w\.json: word ' ' has an empty"),
    ):
        with pytest.raises(InputError, match=message):
            Vocabulary.from_lsa(written(tmp_path / "w.json", wrong))


def test_published_split_sizes():
    from ovarnet.splits import COCO_BASE, COCO_EXTRA_15, COCO_NOVEL_17, VAW_NOVEL_79

    assert [len(names) for names in (COCO_BASE, COCO_NOVEL_17, COCO_EXTRA_15, VAW_NOVEL_79)] == [
        48,
        17,
        15,
        79,
    ]
    assert len(COCO_BASE | COCO_NOVEL_17 | COCO_EXTRA_15) == 80

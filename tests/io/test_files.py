import pytest

from ovarnet.errors import InputError
from ovarnet.io.files import (
    check_file,
    check_folder,
    path_ends,
    read_json,
    read_text,
    read_yaml,
    real_path,
    whole_file,
    write_json,
    write_text,
)


def test_json_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "a.json"
    write_json(path, {"é": [1, 2]})
    assert read_json(path) == {"é": [1, 2]}
    assert "é" in path.read_text(encoding="utf-8")
    with pytest.raises(TypeError):
        write_json(path, {"not": object()})
    assert read_json(path) == {"é": [1, 2]}
    assert [file.name for file in path.parent.iterdir()] == ["a.json"]


def test_a_file_that_is_not_finished_leaves_the_old_one_and_nothing_else(tmp_path):
    write_text(tmp_path / "a.txt", "old")

    def fail(unfinished):
        unfinished.write_text("ne")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "a.txt") as unfinished:
        fail(unfinished)
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]
    assert read_text(tmp_path / "a.txt") == "old"


def test_half_a_character_is_written_as_its_escape(tmp_path):
    name = b"caf\xe9.jpg".decode("utf-8", "surrogateescape")  # a file name in latin-1
    write_json(tmp_path / "a.json", {name: "\ud83d"})
    assert (tmp_path / "a.json").read_bytes() == b'{"caf\\udce9.jpg": "\\ud83d"}\n'
    assert read_json(tmp_path / "a.json") == {name: "\ud83d"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"  \n", "the file is empty"),
        (b'{"a": [1, 2', r"not valid JSON .*truncated"),
        (b"\xff\xfe\x00", "not UTF-8 text"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"a": ' + b"1" * 5000 + b"}", "a whole number has more than 4,300 digits"),
        (b'{"a": 1, "b": 2, "a": 1}', "the key 'a' occurs twice in one object; keep one of them"),
        (b'{"a": [{"b": 1, "b": 2}]}', "the key 'b' occurs twice in one object"),
        (b"[1]", "holds list at its top level; expected an object"),
    ],
)
def test_bad_json_is_one_line_with_the_file(tmp_path, content, message):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=message) as raised:
        read_json(tmp_path / "a.json", dict)
    assert str(tmp_path / "a.json") in str(raised.value)
    assert "\n" not in str(raised.value)


def test_yaml_scalars_stay_strings_and_keys_are_unique(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("a: [no, on, 7]\nb: {c: 1.0}\n")
    assert read_yaml(path) == {"a": ["no", "on", "7"], "b": {"c": "1.0"}}
    for text, message in (
        ("a: [", r"a\.yaml: not valid YAML"),
        ("a: {b: 1, b: 2}", "the key 'b' occurs twice"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            read_yaml(path)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_text(tmp_path / "none.txt")
    with pytest.raises(InputError, match="cannot be read"):
        read_text(tmp_path)


def test_outputs_are_checked_before_long_work(tmp_path):
    (tmp_path / "file").write_text("x")
    check_folder(tmp_path / "new/deep")
    check_file(tmp_path / "new/a.json")
    for path in (tmp_path / "file", tmp_path / "file/deep"):
        with pytest.raises(InputError, match="file: is a file; --into needs a folder"):
            check_folder(path, "--into")
    with pytest.raises(InputError, match="is a folder; --output needs a file"):
        check_file(tmp_path)
    with pytest.raises(InputError, match="is a file; --output needs a folder"):
        check_file(tmp_path / "file/a.json")


def test_ends_of_a_path_and_links_to_themselves(tmp_path):
    ends = path_ends("/a/b/c.jpg")
    assert ends == ["/a/b/c.jpg", "a/b/c.jpg", "b/c.jpg", "c.jpg"]
    (tmp_path / "self").symlink_to("self")
    assert real_path(tmp_path / "self") == tmp_path / "self"

import pytest

from ovarnet.errors import InputError
from ovarnet.io.files import read_json, read_text, whole_file, write_json, write_text


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
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "a.txt") as unfinished:
        unfinished.write_text("ne")
        1 / 0  # noqa: B018
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
        (b"[1]", "holds list at its top level; expected an object"),
    ],
)
def test_bad_json_is_one_line_with_the_file(tmp_path, content, message):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=message) as raised:
        read_json(tmp_path / "a.json", dict)
    assert str(tmp_path / "a.json") in str(raised.value)
    assert "\n" not in str(raised.value)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_text(tmp_path / "none.txt")
    with pytest.raises(InputError, match="cannot be read"):
        read_text(tmp_path)

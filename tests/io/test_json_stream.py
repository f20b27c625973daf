import json

import pytest

from ovarnet.errors import InputError
from ovarnet.io import json_stream
from ovarnet.io.json_stream import read_records, stream_json

COCO = {
    "info": {"year": 2017},
    "images": [{"id": 1, "size": [3, 4]}, {"id": 22}],
    "empty": [],
    "note": "a ] and a \n",
    "number": 12345,
}


@pytest.mark.parametrize("block", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "value", [COCO, [1, 22, 333], [[1, 2], {"a": {"b": 5}}, "x", None], {}, []]
)
def test_the_same_value_as_json_whatever_the_blocks(tmp_path, monkeypatch, value, indent, block):
    monkeypatch.setattr(json_stream, "CHUNK", block)
    path = tmp_path / "a.json"
    path.write_text(json.dumps(value, indent=indent), encoding="utf-8-sig")
    assert read_records(path, type(value)) == value


def test_records_know_their_place_and_their_text(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"images":\n[\n{"a": 1},\n\n {"b":\n 2}],\n"n": [], "m": 3}')
    assert [(r.key, r.position, r.line, r.value, r.text) for r in stream_json(path)] == [
        ("images", 0, 3, {"a": 1}, '{"a": 1}'),
        ("images", 1, 5, {"b": 2}, '{"b":\n 2}'),
        ("n", None, 7, [], "[]"),
        ("m", None, 7, 3, "3"),
    ]


def test_keys_can_be_dropped(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"annotations": [{"id": 1, "segmentation": [[1, 2]]}]}')
    assert read_records(path, drop=("segmentation",)) == {"annotations": [{"id": 1}]}


@pytest.mark.parametrize(
    ("text", "expected", "message"),
    [
        (" \n", dict, "the file is empty"),
        ('{"a": [1, 2', dict, r"line 1: .*truncated"),
        ('{"a": [\n{"b": 1},\n{"b"', dict, r"line 3: "),
        ('{"a": [1 2]}', dict, r"expected ',' or '\]'"),
        ("[1,]", list, "a comma before the end"),
        ('{"a": 1}}', dict, "text after the end"),
        ("[]", dict, r"holds list at its top level; expected an object"),
        ("{}", list, r"holds dict at its top level; expected a list"),
        ("3", list, "holds a single value"),
        (
            '{"a": [\n' + "1" * 5000 + "]}",
            dict,
            "line 2: a whole number has more than 4,300 digits",
        ),
        ('{"a": {},\n"a": [1]}', dict, r"the key 'a' occurs twice in one object \(line 2\); keep"),
        (
            '{"a": [{"b": 1},\n{"b": 1, "b": 2}]}',
            dict,
            r"'b' occurs twice in one object \(line 2\)",
        ),
        ('[{"a": {"b": 1, "b": 1}}]', list, r"'b' occurs twice in one object \(line 1\)"),
    ],
)
def test_broken_files(tmp_path, text, expected, message):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as raised:
        read_records(path, expected)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_files_that_cannot_be_opened(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_records(tmp_path / "none.json")
    (tmp_path / "latin.json").write_bytes(b'{"a": ["\xff"]}')
    with pytest.raises(InputError, match="not UTF-8"):
        read_records(tmp_path / "latin.json")

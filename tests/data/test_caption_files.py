"""Every format of caption corpora, whole and broken."""

import gzip
import io
import json
import tarfile

import pytest

from ovarnet.data.caption_files import read_caption_file
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped


def read(path):
    """[(image, captions)], {reason: places without the folder}; checks that the positions rise to
    at most the size of the file."""
    broken = Skipped()
    items = list(read_caption_file(path, broken))
    positions = [item.position for item in items]
    assert positions == sorted(positions)
    assert all(0 < position <= path.stat().st_size for position in positions)
    prefix = f"{path}:"
    return (
        [(item.image, item.captions) for item in items],
        {
            reason: [place.removeprefix(prefix) for place in places]
            for reason, places in broken.items.items()
        },
    )


def write(path, content):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_coco(tmp_path):
    data = {
        "images": [{"id": 7, "file_name": "b.jpg"}, {"id": 3, "file_name": "a.jpg"}],
        "annotations": [
            {"id": 1, "image_id": 3, "caption": "one"},
            {"id": 2, "image_id": 7, "caption": "two "},
            {"id": 3, "image_id": 3, "caption": "three"},
            {"id": 4, "image_id": 3, "caption": " "},
        ],
    }
    items, broken = read(write(tmp_path / "captions.json", json.dumps(data)))
    assert items == [("b.jpg", ("two",)), ("a.jpg", ("one", "three"))]
    assert sum(map(len, broken.values())) == 1


def test_cc3m_and_cc12m(tmp_path):
    expected = [("https://x.org/1.jpg", ("a red dog",)), ("http://x.org/2.jpg#3", ("a blue hat",))]
    cc3m = write(
        tmp_path / "cc3m.tsv", "a red dog\thttps://x.org/1.jpg\na blue hat\thttp://x.org/2.jpg#3\n"
    )
    cc12m = write(
        tmp_path / "cc12m.tsv", "https://x.org/1.jpg\ta red dog\nhttp://x.org/2.jpg#3\ta blue hat"
    )
    assert read(cc3m) == read(cc12m) == (expected, {})


def test_flickr8k_joins_the_captions_of_an_image(tmp_path):
    expected = (
        [("a.jpg", ("one dog", "two dogs")), ("b.jpg", ("a cat",)), ("a.jpg", ("again",))],
        {},
    )
    assert (
        read(
            write(
                tmp_path / "plain.txt",
                "a.jpg\tone dog\na.jpg\ttwo dogs\nb.jpg\ta cat\na.jpg\tagain\n",
            )
        )
        == expected
    )
    numbered = "a.jpg#0\tone dog\na.jpg#1\ttwo dogs\r\nb.jpg#0\ta cat\n\na.jpg#4\tagain"
    assert read(write(tmp_path / "Flickr8k.token.txt", numbered)) == expected


def test_json_lines(tmp_path):
    lines = [
        {"image": "a.jpg", "caption": "one"},
        {"image": "b.jpg", "captions": ["two", "", "three"]},
    ]
    assert read(write(tmp_path / "captions.jsonl", "\n".join(map(json.dumps, lines)))) == (
        [("a.jpg", ("one",)), ("b.jpg", ("two", "three"))],
        {},
    )


def test_broken_lines_are_told_by_number_and_the_rest_is_kept(tmp_path):
    table = write(
        tmp_path / "captions.tsv",
        b"\xef\xbb\xbfa.jpg\tone\nno tab here\nb.jpg\t  \n\xff\xfe\tx\n\nc.jpg\tlast\n\tnobody",
    )
    assert read(table) == (
        [("a.jpg", ("one",)), ("c.jpg", ("last",))],
        {
            "no TAB between image and caption": ["2"],
            "empty caption": ["3"],
            "not UTF-8": ["4"],
            "no image name": ["7"],
        },
    )
    lines = write(
        tmp_path / "captions.jsonl",
        '{"image": "a", "caption": "one"}\n{"image": "b", \n[1]\n{"caption": "x"}\n'
        '{"image": "c", "caption": 3}\n{"image": "d"}\n{"image": "e", "caption": "\\ud800 half"}',
    )
    assert read(lines) == (
        [("a", ("one",)), ("e", ("? half",))],
        {
            "not valid JSON": ["2"],
            "not a JSON object {...}": ["3"],
            "no image name": ["4"],
            "caption is not a string": ["5"],
            "empty caption": ["6"],
        },
    )


def shard(path, members):
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as file:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize("name", ["00000.tar", "00000.tar.gz"])
def test_webdataset(tmp_path, name):
    items, broken = read(
        shard(
            tmp_path / name,
            [
                ("000.jpg", b"\xff\xd8"),
                ("000.txt", b"a red dog"),
                ("000.json", b'{"caption": "other"}'),
                ("in/001.json", b'{"caption": "a hat", "key": "001"}'),
                ("in/001.seg.png", b"p"),
                ("002.jpg", b"\xff\xd8"),
                ("003.txt", b"\xff"),
                ("004.json", b"{"),
                ("005.txt", b" "),
            ],
        )
    )
    assert items == [("000.jpg", ("a red dog",)), ("in/001.seg.png", ("a hat",))]
    assert broken == {
        "no .txt or .json member": ["002"],
        "not UTF-8": ["003"],
        "not valid JSON": ["004"],
        "empty caption": ["005"],
    }


def test_damaged_ends(tmp_path):
    whole = shard(tmp_path / "whole.tar", [("000.txt", b"a red dog"), ("001.txt", b"x" * 5000)])
    items, broken = read(write(tmp_path / "cut.tar", whole.read_bytes()[:3000]))
    assert items == [("000", ("a red dog",))]
    assert len(broken) == 1
    packed = gzip.compress(b"a.jpg\tone\n" + bytes(range(33, 127)) * 2000)
    _, broken = read(write(tmp_path / "cut.tsv.gz", packed[:-200]))
    assert any("damaged" in reason for reason in broken)


def test_what_a_zipped_file_holds_before_its_damage_is_kept(tmp_path):
    """Two zipped parts, as gzip allows; the second begins with a kind of block that does not
    exist."""
    damaged = bytearray(gzip.compress(b"b.jpg\ta cat\n"))
    damaged[10] = 0xFF
    items, broken = read(
        write(tmp_path / "table.tsv.gz", gzip.compress(b"a.jpg\ta dog\n") + damaged)
    )
    assert items == [("a.jpg", ("a dog",))]
    assert [(reason[:37], places) for reason, places in broken.items()] == [
        ("file ends early or is damaged (Error ", ["2"])
    ]
    whole = shard(
        tmp_path / "whole.tar", [("000.txt", b"a red dog"), ("001.txt", b"x" * 12_000)]
    ).read_bytes()
    items, broken = read(write(tmp_path / "shard.tar.gz", gzip.compress(whole[:10_240]) + damaged))
    assert items == [("000", ("a red dog",))]
    assert any("shard ends early or is damaged (Error " in reason for reason in broken)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(
        InputError, match=r"nothing.tsv: no such file; give caption files \(.json, .jsonl"
    ):
        read_caption_file(tmp_path / "nothing.tsv", Skipped())
    with pytest.raises(
        InputError,
        match=r"captions are read from .json, .jsonl, .ndjson, .tsv, .txt, .token, .tar files",
    ):
        read_caption_file(write(tmp_path / "captions.docx", "x"), Skipped())

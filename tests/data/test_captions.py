"""Three corpora, one record: the same pictures and captions as COCO captions, as CC3M and CC12M
tables and as WebDataset shards."""

import gzip
import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from ovarnet.data.captions import load_captions
from ovarnet.errors import InputError
from ovarnet.io.images import read_image, read_image_size
from ovarnet.io.skipped import Skipped

CAPTIONS = {"a.png": ["one red dog"], "b.png": ["two dogs", "a cat"]}


def png(color):
    stream = io.BytesIO()
    Image.new("RGB", (6, 4), color).save(stream, "PNG")
    return stream.getvalue()


PIXELS = {"a.png": png((255, 0, 0)), "b.png": png((0, 0, 255))}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    for name, content in PIXELS.items():
        (tmp_path / "images" / name).write_bytes(content)
    return tmp_path


def shard(path, members):
    with tarfile.open(path, "w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def as_coco(folder):
    file = folder / "captions.json"
    file.write_text(
        json.dumps(
            {
                "images": [{"id": n, "file_name": name} for n, name in enumerate(CAPTIONS)],
                "annotations": [
                    {"id": 10 * n + k, "image_id": n, "caption": text}
                    for n, name in enumerate(CAPTIONS)
                    for k, text in enumerate(CAPTIONS[name])
                ],
            }
        )
    )
    return file


def as_cc3m(folder):
    file = folder / "Train_GCC-training.tsv"
    file.write_text(
        "one red dog\thttp://x.org/1/a.png?w=3\ntwo dogs\thttps://x.org/b.png\na "
        "cat\thttps://x.org/b.png\n"
    )
    return file


def as_cc12m(folder):
    file = folder / "cc12m.tsv"
    file.write_text(
        "http://x.org/1/a.png\tone red dog\nhttps://x.org/b.png\ttwo dogs\nhttps://x.org/b.png\ta "
        "cat\n"
    )
    return file


def as_shards(folder):
    shard(
        folder / "00000.tar",
        [
            ("000000000.json", b'{"caption": "no"}'),
            ("000000000.png", PIXELS["a.png"]),
            ("000000000.txt", b"one red dog"),
        ],
    )
    shard(
        folder / "00001.tar",
        [("part/b.png", PIXELS["b.png"]), ("part/b.json", b'{"caption": "two dogs", "url": "x"}')],
    )
    return folder / "*.tar"


@pytest.mark.parametrize("write", [as_coco, as_cc3m, as_cc12m, as_shards])
def test_all_fill_the_same_record(folder, write):
    first, second = load_captions(write(folder), None if write is as_shards else folder / "images")
    assert first.captions == ["one red dog"]
    assert second.captions[0] == "two dogs"
    assert np.unique(read_image(first.file).reshape(-1, 3), axis=0).tolist() == [[255, 0, 0]]
    assert np.unique(read_image(second.file).reshape(-1, 3), axis=0).tolist() == [[0, 0, 255]]
    assert read_image_size(second.file) == (4, 6)
    if write is not as_shards:
        assert second.captions == ["two dogs", "a cat"]
        assert first.file == str(folder / "images/a.png")
    else:
        assert first.file.endswith("/000000000.png")
        assert second.file.endswith("/b.png")


def test_what_cannot_be_used_is_counted(folder):
    (folder / "cc3m.tsv").write_text(
        "a\thttp://x.org/a.png\nb\thttp://x.org/1/same.png\nc\thttp://x.org/2/same.png\nd\thttp://x.org/gone.png\n"
        "no tab\n\thttp://x.org/b.png\ne\thttp://x.org/a.png\n"
    )
    skipped = Skipped()
    (only,) = load_captions(folder / "cc3m.tsv", folder / "images", skipped)
    assert only.captions == ["a", "e"], "lines of one image become one record wherever they stand"
    assert skipped.counts == {
        "file name shared by several URLs": 2,
        "image file missing": 1,
        "no TAB between image and caption": 1,
        "empty caption": 1,
    }
    (folder / "cc12m.tsv").write_text(
        "http://[x.org/1.png\ta\nhttp://[x.org/2.png\tb\nhttp://x.org/a.png\tc\n"
    )
    skipped = Skipped()
    assert [
        image.captions for image in load_captions(folder / "cc12m.tsv", folder / "images", skipped)
    ] == [["c"]]
    assert skipped.items == {"not a valid URL": ["http://[x.org/1.png", "http://[x.org/2.png"]}
    skipped = Skipped()
    shard(
        folder / "s.tar",
        [
            ("1.txt", b"no picture"),
            ("2.png", PIXELS["a.png"]),
            ("3.png", PIXELS["a.png"]),
            ("3.txt", b"good"),
        ],
    )
    assert [image.captions for image in load_captions(folder / "s.tar", None, skipped)] == [
        ["good"]
    ]
    assert skipped.counts == {
        "no image beside the caption in the shard, or a zipped shard (gunzip it)": 1,
        "no .txt or .json member": 1,
    }


def test_shards_that_cannot_be_read(folder):
    whole = shard(folder / "00000.tar", [("1.txt", b"good"), ("1.png", PIXELS["a.png"])])
    (image,) = load_captions(whole, None)
    (folder / "00000.tar.gz").write_bytes(gzip.compress(whole.read_bytes()))
    with pytest.raises(InputError, match=r"none of its 1 images can be used: 1 x .*gunzip it"):
        load_captions(folder / "00000.tar.gz", None)
    whole.write_bytes(whole.read_bytes()[:1600])
    with pytest.raises(InputError, match="the shard ends before this image"):
        read_image(image.file)
    whole.unlink()
    with pytest.raises(InputError, match="no such file"):
        read_image(image.file)
    with pytest.raises(InputError, match="no file has such a name"):
        load_captions(folder / "none*.tar", None)

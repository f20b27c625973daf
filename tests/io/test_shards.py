import io
import tarfile

import pytest

from ovarnet.errors import InputError
from ovarnet.io.shards import member_path, read_member


def test_a_member_is_read_at_its_place(tmp_path):
    shard = tmp_path / "0.tar"
    with tarfile.open(shard, "w") as tar:
        for name, content in (("a.jpg", b"first"), ("in/b.jpg", b"second")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    with tarfile.open(shard) as tar:
        entry = tar.getmember("in/b.jpg")
    path = member_path(shard, entry.offset_data, entry.size, entry.name)
    assert path == f"{shard}@{entry.offset_data}+6/b.jpg"
    assert read_member(path) == b"second"


def test_other_paths_name_no_member(tmp_path):
    for path in ("a.jpg", "0.tar", "0.tar@1/a.jpg", "0.tar@1+2", tmp_path):
        assert read_member(path) is None


def test_a_shard_that_ends_early(tmp_path):
    (tmp_path / "0.tar").write_bytes(b"12345")
    assert read_member(tmp_path / "0.tar@3+2/a.jpg") == b"45"
    with pytest.raises(InputError, match="the shard ends before this image"):
        read_member(tmp_path / "0.tar@3+3/a.jpg")

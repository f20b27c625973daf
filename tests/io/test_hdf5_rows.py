"""Images in an HDF5 file, read row by row."""

import sys

import numpy as np
import pytest

from ovarnet.errors import InputError
from ovarnet.io import hdf5_rows
from ovarnet.io.hdf5_rows import IMAGES, read_row, row_path
from ovarnet.io.images import read_image, read_image_size

h5py = pytest.importorskip("h5py")


@pytest.fixture
def file(tmp_path):
    images = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)
    with h5py.File(tmp_path / "a.h5", "w") as made:
        made[IMAGES] = images
    return tmp_path / "a.h5", images


def test_a_row_is_an_image(file):
    path, images = file
    assert row_path(path, 1) == f"{path}@1"
    np.testing.assert_array_equal(read_image(row_path(path, 1)), images[1])
    assert read_image_size(row_path(path, 0)) == (3, 4)


def test_other_paths_name_no_row(tmp_path):
    for path in ("a.jpg", "a.h5", "a.h5@x", tmp_path):
        assert read_row(path) is None


def test_what_is_missing_is_named(file, tmp_path, monkeypatch):
    path, _ = file
    with pytest.raises(InputError, match="has 2 rows"):
        read_row(f"{path}@2")
    with pytest.raises(InputError, match="no such file"):
        read_row(tmp_path / "none.h5@0")
    (tmp_path / "bad.h5").write_bytes(b"no hdf5")
    with pytest.raises(InputError, match="not an HDF5 file, or truncated"):
        read_row(tmp_path / "bad.h5@0")
    hdf5_rows._open.cache_clear()
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(InputError, match=r'pip install "ovarnet\[catalogue\]"'):
        read_row(f"{path}@0")

"""Images in base64 cells: read in place, in either alphabet, damaged ones named."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from ovarnet.errors import InputError
from ovarnet.io.base64_cells import cell_path, decode, read_cell
from ovarnet.io.images import read_image, read_image_size


def png(height=3, width=5, colour=(200, 10, 10)):
    stream = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(stream, "PNG")
    return stream.getvalue()


def test_a_cell_is_read_where_it_stands(tmp_path):
    file, cell = tmp_path / "pairs.tsv", base64.b64encode(png())
    file.write_bytes(b"a mug\t" + cell + b"\n")
    path = cell_path(file, 6, len(cell))
    assert path == f"{file}@6+{len(cell)}#b64"
    assert read_cell(path) == png()
    assert read_image(path).shape == (3, 5, 3)
    assert read_image_size(path) == (3, 5)
    np.testing.assert_array_equal(read_image(path)[0, 0], [200, 10, 10])


def test_other_paths_name_no_cell(tmp_path):
    for path in ("a.jpg", "a.tsv@1+2", "a.tsv@1#b64", tmp_path):
        assert read_cell(path) is None


@pytest.mark.parametrize("text", [b"-_-_", b"+/+/", b"data:image/png;base64,+/+/", b" +/+/ "])
def test_both_alphabets_and_data_urls(text):
    assert decode(text, "cell") == b"\xfb\xff\xbf"


def test_missing_padding_is_added():
    assert decode(b"YQ", "cell") == decode(b"YQ==", "cell") == b"a"


def test_what_is_no_base64_or_is_cut_off_is_named(tmp_path):
    with pytest.raises(InputError, match="cell: not base64"):
        decode(b"n*t base64", "cell")
    (tmp_path / "p.tsv").write_bytes(b"12345")
    with pytest.raises(InputError, match="ends before this cell"):
        read_cell(tmp_path / "p.tsv@3+3#b64")
    (tmp_path / "p.tsv").write_bytes(base64.b64encode(b"no image at all"))
    with pytest.raises(InputError, match="not an image that can be read"):
        read_image(tmp_path / "p.tsv@0+20#b64")

"""Files of pictures."""

import numpy as np
import pytest
from PIL import Image

from ovarnet.drawing.image_file import write_image
from ovarnet.io.images import read_image

IMAGE = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)


@pytest.mark.parametrize(
    ("name", "kind"), [("a.png", "PNG"), ("a.PNG", "PNG"), ("a.jpg", "JPEG"), ("a", "JPEG")]
)
def test_the_suffix_names_the_format_and_folders_are_made(name, kind, tmp_path):
    path = tmp_path / "new" / name
    write_image(path, IMAGE)
    with Image.open(path) as written:
        assert (written.format, written.size) == (kind, (5, 4))
    assert [file.name for file in path.parent.iterdir()] == [name]


def test_a_png_keeps_every_pixel(tmp_path):
    write_image(tmp_path / "a.png", IMAGE)
    assert (read_image(tmp_path / "a.png") == IMAGE).all()


def test_nothing_is_left_of_a_picture_that_cannot_be_written(tmp_path):
    with pytest.raises(TypeError):
        write_image(tmp_path / "a.jpg", np.zeros((4, 5, 7)))
    assert list(tmp_path.iterdir()) == []

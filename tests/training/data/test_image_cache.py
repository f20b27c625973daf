"""Decoded images: kept as far as there is memory, then read again."""

import cv2
import numpy as np
import pytest

from ovarnet.training.data import image_cache
from ovarnet.training.data.image_cache import ImageCache


@pytest.fixture
def files(tmp_path):
    """Two images of 512 x 1024 x 3 bytes: 1.5 MB each, of one colour."""
    for name, colour in (("a", 0), ("b", 255)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((512, 1024, 3), colour, np.uint8))
    return [str(tmp_path / f"{name}.png") for name in "ab"]


@pytest.fixture
def reads(monkeypatch):
    """The files that are read from disk, in order."""
    read, found = image_cache.read_image, []
    monkeypatch.setattr(image_cache, "read_image", lambda file: found.append(file) or read(file))
    return found


@pytest.mark.parametrize(("megabytes", "again"), [(0, "ab"), (1, "ab"), (2, "b"), (3, "")])
def test_the_first_images_that_fit_are_kept(files, reads, megabytes, again):
    cache = ImageCache(megabytes)
    for file in files * 2:
        pixels = cache.read(file)
        assert pixels.shape == (3, 512, 1024)
        assert pixels.unique().tolist() == [float(file == files[1])]
    assert [file[-5] for file in reads] == ["a", "b", *again]


def test_an_image_may_be_kept_under_a_name_that_is_no_file(reads):
    cache = ImageCache(0)
    cache.keep("drawn", np.full((2, 3, 3), 51, np.uint8))
    assert cache.read("drawn").tolist() == [[[pytest.approx(0.2)] * 3] * 2] * 3
    assert reads == []

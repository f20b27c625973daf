"""Pictures of detections: what must hold of them; how they look was judged by eye."""

import numpy as np
import pytest
from drawn_detections import detections
from PIL import Image

from ovarnet.drawing.detections import draw
from ovarnet.drawing.image_file import write_image
from ovarnet.errors import InputError
from ovarnet.io.images import read_image


def test_small_images_are_enlarged_and_boxes_with_them():
    picture = draw(
        np.zeros((80, 160, 3), np.uint8),
        detections([[20, 10, 60, 50]], categories=(), attributes=()),
    )
    assert picture.shape == (640, 1280, 3)
    assert picture.dtype == np.uint8
    assert picture[240, 160].any()
    assert picture[240, 480].any()
    assert not picture[240, 320].any()  # the inside stays as it is


def test_the_image_given_is_left_alone():
    image = np.zeros((700, 700, 3), np.uint8)
    assert draw(image, detections([[20, 10, 60, 50]])).any()
    assert not image.any()


@pytest.mark.parametrize("shape", [(1, 1), (20, 20000), (20000, 20)])
def test_extreme_images_can_be_drawn_and_written(shape, tmp_path):
    image = np.zeros((*shape, 3), np.uint8)
    for found in (detections([[0, 0, 1, 1]]), detections([])):
        picture = draw(image, found)
        assert max(picture.shape) <= 4700
        write_image(tmp_path / "x.jpg", picture)
    assert [file.name for file in tmp_path.iterdir()] == ["x.jpg"]


def test_crowded_boxes_get_numbers_and_a_list_beside_the_image():
    image = np.zeros((640, 640, 3), np.uint8)
    few, many = (
        detections([[100, 100, 300, 300]]),
        detections([[x, x, x + 60, x + 60] for x in range(200, 280, 2)]),
    )
    assert draw(image, few).shape == (640, 640, 3)
    crowded = draw(image, many)
    assert crowded.shape[1] > 900
    assert (crowded[:, 640:] == 255).all(axis=2).mean() > 0.1  # the list stands on white


def test_draw_takes_what_detect_takes(tmp_path):
    found = detections([[2, 2, 20, 20]])
    grey = Image.fromarray(np.arange(900, dtype=np.uint8).reshape(30, 30))
    grey.save(tmp_path / "grey.png")
    expected = draw(read_image(grey), found)
    assert expected.shape == (640, 640, 3)
    for image in (grey, tmp_path / "grey.png", str(tmp_path / "grey.png")):
        assert (draw(image, found) == expected).all()
    with pytest.raises(InputError, match="no such file"):
        draw(tmp_path / "none.png", found)
    with pytest.raises(InputError, match=r"shape \(30, 30\)"):
        draw(np.zeros((30, 30), np.uint8), found)


def test_long_words_in_any_script_can_be_drawn():
    attributes = ("made of brushed stainless steel", "ярко-красный", "é")
    found = detections([[10, 10, 200, 200]], categories=("a" * 200, "杯子"), attributes=attributes)
    assert draw(np.zeros((640, 640, 3), np.uint8), found).shape == (640, 640, 3)

"""Pictures of detections: what must hold of them; how they look was inspected by eye."""

import numpy as np
import pytest
from drawn_detections import detections
from PIL import Image

from ovarnet.drawing.boxes import colour
from ovarnet.drawing.detections import draw
from ovarnet.drawing.image_file import write_image
from ovarnet.drawing.label_text import summary
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
    assert (draw(np.asarray(grey), found) == expected).all()


def test_long_words_in_any_script_can_be_drawn():
    attributes = ("made of brushed stainless steel", "ярко-красный", "é")
    found = detections([[10, 10, 200, 200]], categories=("a" * 200, "杯子"), attributes=attributes)
    assert draw(np.zeros((640, 640, 3), np.uint8), found).shape == (640, 640, 3)


def grid(columns, rows, **words):
    """Boxes in rows on 1500 x 1000 pixels, with room for a line of text between them."""
    steps = np.array([1500 / columns, 1000 / rows])
    corners = np.array([(x, y) for y in range(rows) for x in range(columns)]) * steps + steps / 8
    return detections(np.concatenate([corners, corners + 0.75 * steps], 1).tolist(), **words)


@pytest.mark.slow
def test_66_labels_that_would_fit_but_cover_the_picture_become_numbers_and_a_list():
    image = np.full((1000, 1500, 3), 128, np.uint8)
    many = draw(image, grid(11, 6, categories=("mug",), attributes=()))
    some = draw(image, grid(8, 5, categories=("mug",), attributes=()))
    assert many.shape[1] > 1800
    assert some.shape == image.shape
    for picture in (many[:, :1500], some):
        assert (picture == 128).all(axis=2).mean() > 0.75  # the image stays visible


@pytest.mark.slow
def test_a_frame_of_a_video_keeps_its_size_and_loses_labels_that_find_no_room():
    image = np.full((1000, 1500, 3), 128, np.uint8)
    found = grid(20, 20, categories=("mug",), attributes=())
    framed = draw(image, found, keep_size=True)
    assert framed.shape == image.shape
    assert not (framed == 128).all()
    few = grid(3, 2)
    assert (draw(image, few, keep_size=True) == draw(image, few)).all()


@pytest.mark.slow
def test_boxes_of_one_word_differ_in_colour():
    image = np.full((1000, 1500, 3), 128, np.uint8)
    one = draw(image, grid(3, 2, categories=("mug",), attributes=()))
    two = draw(image, grid(3, 2, attributes=()))
    for picture, expected in ((one, 6), (two, 2)):
        drawn = {colour(index) for index in range(12)}
        assert len(drawn) == 12
        assert sum((picture == rgb).all(axis=2).any() for rgb in drawn) == expected


def test_the_attribute_threshold_is_an_option():
    found = detections([[100, 100, 300, 300]])  # red 0.9, striped 0.6, tiny 0.2
    image = np.zeros((640, 640, 3), np.uint8)
    assert (draw(image, found) == draw(image, found, attribute_threshold=0.6)).all()
    assert not (draw(image, found) == draw(image, found, attribute_threshold=0.61)).all()
    assert not (draw(image, found) == draw(image, found, attribute_threshold=0.2)).all()
    assert summary(found, attribute_threshold=0.2) == [
        "mug 0.90: red 0.90, striped 0.60, tiny 0.20"
    ]

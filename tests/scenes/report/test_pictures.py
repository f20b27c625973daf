"""Small pictures of the report: where their boxes stand, and their colours."""

import io

import numpy as np
from PIL import Image

from ovarnet.scenes.report.pictures import CROP, WIDTH, colour, numbered_boxes, surroundings

BOX = np.array([10, 20, 30, 60], dtype=np.float32)


def opened(content):
    return np.asarray(Image.open(io.BytesIO(content)))


def test_boxes_of_a_non_square_image_stand_where_they_are():
    picture = opened(numbered_boxes(np.zeros((80, 40, 3), np.uint8), [BOX], [1])).astype(int)
    assert picture.shape == (WIDTH * 2, WIDTH, 3)
    scale = WIDTH // 40
    red = np.array([int(colour(1)[place : place + 2], 16) for place in (1, 3, 5)])
    assert (
        np.abs(picture[40 * scale, 10 * scale + 2] - red).max() < 60
    )  # the left edge, halfway down
    assert picture[40 * scale, 20 * scale].max() < 20  # the inside


def test_a_crop_is_square_and_grey_outside_of_the_image():
    crop = opened(surroundings(np.zeros((100, 100, 3), np.uint8), (0, 0, 20, 10)))
    assert crop.shape == (CROP, CROP, 3)
    assert crop[5, 5].min() > 220
    assert crop[CROP // 2 + 8, CROP // 2].max() < 20


def test_colours_repeat_and_nothing_has_grey():
    assert colour(1) == colour(7) != colour(2)
    assert colour(0) == "#6b7280"

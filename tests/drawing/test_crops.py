"""Crops of detections: which pixels, and which file names."""

import numpy as np
import pytest
from drawn_detections import detections
from PIL import Image

from ovarnet.drawing.crops import crop_name, cut_crops, write_crops
from ovarnet.errors import InputError

IMAGE = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ([2, 3, 12, 9], (3, 9), (2, 12)),
        ([2.4, 3.6, 11.2, 8.1], (3, 9), (2, 12)),  # widened to whole pixels
        ([-5, -5, 40, 40], (0, 20), (0, 30)),
        ([4, 4, 4, 4], (4, 5), (4, 5)),  # at least one pixel
        ([30, 20, 30, 20], (19, 20), (29, 30)),
        ([50, 50, 60, 60], (19, 20), (29, 30)),
    ],
)
def test_the_pixels_of_a_box(box, rows, columns):
    (crop,) = cut_crops(IMAGE, detections([box]))
    assert np.array_equal(crop, IMAGE[slice(*rows), slice(*columns)])
    assert not np.shares_memory(crop, IMAGE)


def test_crops_of_whatever_detect_takes(tmp_path):
    found = detections([[0, 0, 10, 10], [5, 5, 9, 20]])
    Image.fromarray(IMAGE).save(tmp_path / "a.png")
    for image in (IMAGE, tmp_path / "a.png", Image.fromarray(IMAGE)):
        assert [crop.shape for crop in cut_crops(image, found)] == [(10, 10, 3), (15, 4, 3)]
    assert cut_crops(IMAGE, found[:0]) == []
    with pytest.raises(InputError, match="no such file"):
        cut_crops(tmp_path / "b.png", found)


def test_files_named_by_image_number_and_category(tmp_path):
    found = detections([[0, 0, 10, 8], [5, 5, 9, 20], [0, 0, 1, 1]])  # mug, car, mug
    files = write_crops(tmp_path / "new/crops", "photo", IMAGE, found)
    assert [file.name for file in files] == [
        "photo_1_mug.jpg",
        "photo_2_car.jpg",
        "photo_3_mug.jpg",
    ]
    assert sorted((tmp_path / "new/crops").iterdir()) == files
    with Image.open(files[0]) as crop:
        assert (crop.format, crop.size) == ("JPEG", (10, 8))
    files = write_crops(tmp_path, "b", IMAGE, found[:2], numbers=[7, 9])
    assert [file.name for file in files] == ["b_7_mug.jpg", "b_9_car.jpg"]


@pytest.mark.parametrize(
    ("category", "name"),
    [
        (None, "a_1.jpg"),
        ("traffic light", "a_1_traffic-light.jpg"),
        ("red/white & blue_thing", "a_1_red-white-blue-thing.jpg"),
        ("../..", "a_1.jpg"),
        ("🌲", "a_1.jpg"),
        ("杯子", "a_1_杯子.jpg"),
        ("x" * 200, f"a_1_{'x' * 40}.jpg"),
    ],
)
def test_any_word_makes_a_file_name(category, name):
    assert crop_name("a", 1, category) == name


def test_no_two_boxes_share_a_name():
    assert crop_name("a", 1, "2 x") != crop_name("a_1", 2, "x")

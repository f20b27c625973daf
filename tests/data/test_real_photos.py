"""Real COCO photos and boxes, where they are at hand (OVARNET_TEST_PHOTOS)."""

import os
from pathlib import Path

import pytest

from ovarnet.data.coco import coco_vocabulary, load_coco
from ovarnet.io.image_folders import list_images
from ovarnet.io.images import read_image, read_image_size
from ovarnet.io.skipped import Skipped

COCO128 = (
    Path(os.environ.get("OVARNET_TEST_PHOTOS", Path(__file__).parents[3] / "shared" / "data"))
    / "coco128"
)
pytestmark = pytest.mark.skipif(not COCO128.is_dir(), reason="no coco128 photos")


def test_all_boxes_are_loaded_or_counted():
    file = COCO128 / "instances.json"
    skipped = Skipped()
    images = load_coco(file, COCO128 / "images", coco_vocabulary(file), skipped)
    assert len(images) == 128
    assert sum(map(len, images)) + len(skipped) == 929
    assert sorted(image.image_id for image in images if not len(image)) == ["250", "508"]
    narrow = coco_vocabulary(file, "48/17")
    assert (
        sum(map(len, load_coco(file, COCO128 / "images", narrow, skipped)))
        == 929 - skipped.counts["category not in the vocabulary"]
    )


def test_photos_have_the_size_of_their_record():
    images = load_coco(
        COCO128 / "instances.json",
        COCO128 / "images",
        coco_vocabulary(COCO128 / "instances.json"),
    )
    assert all(read_image_size(image.file) == (image.height, image.width) for image in images)
    assert all(
        read_image(image.file).shape == (image.height, image.width, 3) for image in images[::16]
    )
    assert len(list_images([COCO128])) == 256

"""Real COCO photos and boxes, where they are at hand (OVARNET_TEST_PHOTOS)."""

import os
from pathlib import Path

import pytest

from ovarnet.data.coco import coco_vocabulary, load_coco
from ovarnet.data.custom import load_custom, read_custom
from ovarnet.data.labelled import labelled_vocabulary
from ovarnet.io.image_folders import list_images
from ovarnet.io.images import read_image, read_image_size
from ovarnet.io.skipped import Skipped
from ovarnet.structures import UNKNOWN

DATA = Path(os.environ.get("OVARNET_TEST_PHOTOS", Path(__file__).parents[3] / "shared" / "data"))
COCO128, PHOTOS = DATA / "coco128", DATA / "photos"
needs_coco128 = pytest.mark.skipif(not COCO128.is_dir(), reason="no coco128 photos")


@needs_coco128
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


@needs_coco128
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


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="no photos with attributes")
@pytest.mark.parametrize(
    ("name", "images", "boxes", "difficult", "labels", "words"),
    [
        pytest.param(
            "voc/voc2008_train", 2111, 6337, 1255, 6337 * 64, (20, 64), marks=pytest.mark.slow
        ),
        pytest.param("voc/voc2007_train", 2000, 6059, 1146, 0, (20, 0), marks=pytest.mark.slow),
        ("clothing/test", 201, 1427, 0, 6108, (52, 12)),
        ("cars/test", 338, 350, 0, 350 * 9, (1, 9)),
    ],
)
def test_photos_with_attributes_load_as_they_are(name, images, boxes, difficult, labels, words):
    file, skipped = PHOTOS / f"{name}.json", Skipped()
    vocabulary = labelled_vocabulary({"train": read_custom(file, file.parent / "images", skipped)})
    found = load_custom(file, file.parent / "images", vocabulary, skipped)
    assert not skipped
    assert (len(vocabulary.categories), len(vocabulary.attributes)) == words
    assert (len(found), sum(map(len, found))) == (images, boxes)
    assert sum(int(image.is_difficult.sum()) for image in found) == difficult
    assert sum(int((image.attributes != UNKNOWN).sum()) for image in found) == labels

"""Base and novel never mix: what training reads of the generated world holds no novel box and no
novel label, in any file."""

import json

import pytest

from ovarnet.data.coco import load_coco
from ovarnet.data.datasets import open_dataset
from ovarnet.data.vaw import load_vaw
from ovarnet.io.word_files import read_vocabulary
from ovarnet.scenes.world.write import write_world
from ovarnet.structures import NO_CATEGORY, UNKNOWN


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("world") / "scenes"
    write_world(root, {"train": 40, "val": 20, "test": 1, "captions": 1, "photos": 1}, seed=3)
    return root


def novel_boxes_and_labels(vocabulary, images):
    boxes = sum(
        not vocabulary.categories[c].seen
        for image in images
        for c in image.categories.tolist()
        if c != NO_CATEGORY
    )
    labels = sum(
        int((image.attributes[:, ~vocabulary.attribute_seen] != UNKNOWN).sum()) for image in images
    )
    return boxes, labels


def test_training_split_has_nothing_novel(world):
    vocabulary, images = open_dataset("scenes", world, "train")
    assert novel_boxes_and_labels(vocabulary, images) == (0, 0)
    assert sum(map(len, images)) > 40
    assert sum(int((image.attributes != UNKNOWN).sum()) for image in images) > 40
    assert not vocabulary.category_seen.all()
    assert not vocabulary.attribute_seen.all()


def test_validation_split_has_novel_boxes_and_labels(world):
    boxes, labels = novel_boxes_and_labels(*open_dataset("scenes", world, "val"))
    assert boxes > 0
    assert labels > 0


def test_the_training_files_themselves_have_nothing_novel(world):
    """Not only after `base_only`: the files are clean, whoever reads them."""
    vocabulary, folder = read_vocabulary(world / "vocabulary.json"), world / "annotations"
    boxes = load_coco(folder / "instances_train.json", world / "images/train", vocabulary)
    labels = load_vaw(
        folder / "attributes_train.json",
        None,
        vocabulary,
        {image.image_id: (image.height, image.width) for image in boxes},
    )
    assert (
        novel_boxes_and_labels(vocabulary, boxes)
        == novel_boxes_and_labels(vocabulary, labels)
        == (0, 0)
    )
    novel = {word.name for word in vocabulary.categories + vocabulary.attributes if not word.seen}
    for record in json.loads((folder / "attributes_train.json").read_text()):
        assert not novel & {
            record["object_name"],
            *record["positive_attributes"],
            *record["negative_attributes"],
        }
    assert not novel & {
        category["name"]
        for category in json.loads((folder / "instances_train.json").read_text())["categories"]
    }


def test_instances_and_attributes_are_joined(world):
    for image in open_dataset("scenes", world, "val")[1]:
        assert image.file.startswith(str(world / "images/val"))
        for category, labels in zip(image.categories.tolist(), image.attributes, strict=True):
            assert category != NO_CATEGORY
            assert (labels != UNKNOWN).any()

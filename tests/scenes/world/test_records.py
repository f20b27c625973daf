"""Annotation records of a scene that is made by hand."""

import numpy as np
import pytest

from ovarnet.scenes.world import records
from ovarnet.scenes.world.records import (
    CATEGORY_IDS,
    captions,
    coco_categories,
    image_record,
    labels,
)
from ovarnet.scenes.world.render import Scene, SceneObject
from ovarnet.scenes.world.things import Thing
from ovarnet.scenes.world.words import CATEGORIES, NOVEL_ATTRIBUTES

BY_NAME = {category.name: category for category in CATEGORIES}


def thing(name, color):
    pose = "upright" if BY_NAME[name].has_pose else None
    words = ("plain", "matte", "small")
    return Thing(BY_NAME[name], color, *words, pose, frozenset({"cracked"}), 30.0, 0.0)


@pytest.fixture
def scene():
    """A red mug (base) and an orange key (novel, as its colour), 20 high and 30 wide."""
    objects = (
        SceneObject(thing("mug", "red"), (1, 2, 11, 8), 1.0),
        SceneObject(thing("key", "orange"), (15, 5, 29, 19), 0.9),
    )
    return Scene(np.zeros((20, 30, 3), np.uint8), objects, np.zeros((20, 30), np.int8))


def test_only_base_categories_are_listed_in_train():
    assert [entry["name"] for entry in coco_categories("test")] == [c.name for c in CATEGORIES]
    assert [e["name"] for e in coco_categories("train")] == [c.name for c in CATEGORIES if c.seen]
    assert coco_categories("train")[0] == {
        "id": CATEGORY_IDS["car"],
        "name": "car",
        "supercategory": "vehicle",
    }


def test_ids_of_images_tell_the_split(scene):
    expected = {"id": 3_000_007, "file_name": "000007.jpg", "height": 20, "width": 30}
    assert image_record("test", 7, scene) == expected


def test_test_images_have_every_box_and_every_label_that_applies(scene):
    instances, described = labels(0, "test", 7, scene)
    assert [entry["bbox"] for entry in instances] == [[1, 2, 10, 6], [15, 5, 14, 14]]
    assert [entry["category_id"] for entry in instances] == [
        CATEGORY_IDS["mug"],
        CATEGORY_IDS["key"],
    ]
    assert [entry["id"] for entry in instances] == [30_000_070, 30_000_071]
    mug, key = described
    assert mug["positive_attributes"] == ["red", "plain", "matte", "small", "upright", "cracked"]
    assert len(mug["positive_attributes"]) + len(mug["negative_attributes"]) == 31
    assert len(key["positive_attributes"]) + len(key["negative_attributes"]) == 28  # no pose
    assert key["instance_id"] == "30000071"


def test_training_images_have_nothing_novel(scene, monkeypatch):
    monkeypatch.setitem(records.KEPT_LABELS, "train", 1.0)
    instances, (mug,) = labels(0, "train", 7, scene)
    assert [entry["category_id"] for entry in instances] == [CATEGORY_IDS["mug"]]
    known = {*mug["positive_attributes"], *mug["negative_attributes"]}
    assert not known & NOVEL_ATTRIBUTES
    assert len(known) == 31 - len(NOVEL_ATTRIBUTES)


def test_half_of_the_training_labels_are_unknown(scene):
    kept = [
        len(mug["positive_attributes"]) + len(mug["negative_attributes"])
        for index in range(40)
        for mug in labels(0, "train", index, scene)[1]
    ]
    assert np.mean(kept) == pytest.approx(0.5 * (31 - len(NOVEL_ATTRIBUTES)), abs=1)


def test_captions_have_ids_of_their_own(scene):
    found = captions(0, "captions", 3, scene)
    assert [entry["id"] for entry in found] == [20_000_015 + i for i in range(5)]
    assert {entry["image_id"] for entry in found} == {4_000_003}
    assert all(isinstance(entry["caption"], str) for entry in found)

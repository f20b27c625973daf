from dataclasses import replace

import pytest
import torch

from ovarnet.config import DataSource, FederatedLoss
from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.modeling.crops import random_crop_boxes
from ovarnet.structures import NO_CATEGORY, UNKNOWN, Annotations
from ovarnet.training.data.base_boxes import (
    ATTRIBUTES,
    DETECTION,
    BaseBoxDataset,
    BaseData,
    attribute_boxes,
    detection_boxes,
)
from ovarnet.training.data.crops import CropRule, ImageCache
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary(
    (Word("mug", seen=True), Word("key"), Word("car", seen=True)),
    (Word("gray"), Word("red", seen=True), Word("striped", seen=True)),
)
BOX = [0.0, 0, 10, 10]


def image(categories, attributes, crowd=None):
    return Annotations("a.jpg", "7", 20, 20, [BOX] * len(categories), categories, attributes, crowd)


def test_targets_are_columns_of_the_base_words():
    found = detection_boxes(
        [image([2, 0, NO_CATEGORY, 0], torch.zeros(4, 3), [False, False, False, True])], WORDS
    )
    assert found.targets.tolist() == [1, 0]
    assert found.boxes.shape == (2, 4)
    assert found.files == ["a.jpg"] * 2
    labels = torch.tensor([[UNKNOWN, 1, 0], [UNKNOWN] * 3, [UNKNOWN, UNKNOWN, 1]])
    assert attribute_boxes([image([0, 0, NO_CATEGORY], labels)], WORDS).targets.tolist() == [
        [1, 0],
        [UNKNOWN, 1],
    ]


def test_difficult_boxes_are_left_out():
    difficult = replace(image([2, 0], torch.ones(2, 3) * UNKNOWN), is_difficult=[True, False])
    assert detection_boxes([difficult], WORDS).targets.tolist() == [0]
    known = replace(difficult, attributes=[[UNKNOWN, 1, 0], [UNKNOWN, 0, 1]])
    assert attribute_boxes([known], WORDS).targets.tolist() == [[0, 1]]


def test_a_novel_category_or_attribute_label_stops_training():
    with pytest.raises(InputError, match="image 7 has a box of the novel category 'key'"):
        detection_boxes([image([0, 1], torch.full((2, 3), UNKNOWN))], WORDS)
    with pytest.raises(InputError, match="image 7 has a label of the novel attribute 'gray'"):
        attribute_boxes([image([0], torch.tensor([[0, 1, 1]]))], WORDS)


def test_no_boxes_at_all():
    assert len(detection_boxes([], WORDS)) == 0
    assert attribute_boxes([], WORDS).targets.shape == (0, 2)


def test_no_novel_word_enters_a_target_a_weight_or_a_frequency(tiny_world):
    """The files of the tiny world do hold novel boxes and novel labels."""
    source = DataSource(root=str(tiny_world.root))
    data = BaseData.open(source, source)
    assert data.base.category_names == ["mug", "car"]
    assert data.base.attribute_names == [
        "red",
        "striped",
    ]
    assert data.category_counts().tolist() == [8, 8]
    assert data.attribute_counts().tolist() == [
        16,
        16,
    ]
    assert data.attributes.targets.unique(dim=0).tolist() == [[1, 0]]
    assert [len(weights) for weights in data.weights(FederatedLoss())] == [2, 2]
    vocabulary, images = open_dataset("scenes", tiny_world.root, "train")
    novel = vocabulary.category_index["key"]
    assert all(novel not in image.categories for image in images)


@pytest.fixture
def regions(tiny_world, small_clip):
    source = DataSource(root=str(tiny_world.root))
    return BaseBoxDataset(
        BaseData.open(source, source),
        CropRule(small_clip, ImageCache(1)),
        seed=3,
        sampled_categories=1,
    )


def test_a_batch_keeps_each_source_in_its_label_space(regions, small_clip):
    keys = [(5, DETECTION, 1), (5, DETECTION, 2), (5, ATTRIBUTES, 0)]
    batch = regions.__getitems__(keys)
    assert batch.categories.tolist() == [1, 0]
    assert batch.attributes.tolist() == [[1, 0]]
    assert batch.crops.shape == (3, 3, 64, 64)
    assert batch.sampled_categories.tolist() == [True, True]
    again = regions.__getitems__(keys)
    assert torch.equal(batch.crops, again.crops)
    other = regions.__getitems__([(6, *key[1:]) for key in keys])
    assert not torch.equal(batch.crops, other.crops)


def test_crops_follow_the_rule_of_step_one(regions, small_clip, monkeypatch):
    seen = []

    def spy(*args, **kwargs):
        seen.append(kwargs)
        return random_crop_boxes(*args, **kwargs)

    monkeypatch.setattr("ovarnet.training.data.crops.random_crop_boxes", spy)
    regions.__getitems__([(0, ATTRIBUTES, 0)])
    assert seen == [{"enlarge": (0.0, 0.2), "keep": 0.9}]


def test_shares_of_a_batch(regions):
    data = regions.data
    assert data.shares(10, 0.3) == {DETECTION: (16, 3), ATTRIBUTES: (16, 7)}
    assert data.shares(10, 1.0)[ATTRIBUTES] == (16, 0)
    with pytest.raises(InputError, match="detection_share is 2"):
        data.shares(10, 2)

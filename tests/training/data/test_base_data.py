"""Both sources of step I, read from files that do hold novel boxes and novel labels."""

import pytest

from ovarnet.config import DataSource, FederatedLoss
from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.training.data.base_boxes import ATTRIBUTES, DETECTION
from ovarnet.training.data.base_data import BaseData


@pytest.fixture
def data(tiny_world):
    source = DataSource(root=str(tiny_world.root))
    return BaseData.open(source, source)


def test_no_novel_word_enters_a_target_a_weight_or_a_frequency(data, tiny_world):
    assert data.base.category_names == ["mug", "car"]
    assert data.base.attribute_names == ["red", "striped"]
    assert data.category_counts().tolist() == [8, 8]
    assert data.attribute_counts().tolist() == [16, 16]
    assert data.attributes.targets.unique(dim=0).tolist() == [[1, 0]]
    assert [weights.tolist() for weights in data.weights(FederatedLoss())] == [[1, 1], [1, 1]]
    vocabulary, images = open_dataset("scenes", tiny_world.root, "train")
    novel = vocabulary.category_index["key"]
    assert all(novel not in image.categories for image in images)


def test_a_limit_counts_images_of_each_source(tiny_world):
    source = DataSource(root=str(tiny_world.root))
    data = BaseData.open(source, source, limit=3)
    assert len(set(data.detection.files)) == len(set(data.attributes.files)) == 3
    assert len(data.detection) == 6


def test_shares_of_a_batch(data):
    assert data.shares(10, 0.3) == {DETECTION: (16, 3), ATTRIBUTES: (16, 7)}
    assert data.shares(10, 1.0)[ATTRIBUTES] == (16, 0)


def test_a_source_that_is_used_has_boxes(data):
    data.attributes = data.attributes.first(0)
    assert data.shares(4, 1.0)[DETECTION] == (16, 4)
    with pytest.raises(InputError, match="the attributes data has no box to learn from"):
        data.shares(4, 0.5)

"""Batches of step I: labels and crops of the boxes that the keys name."""

import pytest
import torch

from ovarnet.config import DataSource
from ovarnet.modeling.crops import random_crop_boxes
from ovarnet.training.data.base_boxes import ATTRIBUTES, DETECTION
from ovarnet.training.data.base_data import BaseData
from ovarnet.training.data.base_dataset import BaseBoxDataset
from ovarnet.training.data.crops import BoxCropper
from ovarnet.training.data.image_cache import ImageCache


@pytest.fixture
def make(tiny_world, small_clip):
    source = DataSource(root=str(tiny_world.root))
    data, crops = BaseData.open(source, source), BoxCropper(small_clip, ImageCache(1))
    return lambda **more: BaseBoxDataset(data, crops, seed=3, **more)


def test_a_batch_keeps_each_source_in_its_label_space(make):
    dataset = make(sampled_categories=1)
    assert len(dataset) == 32
    keys = [(5, DETECTION, 1), (5, DETECTION, 2), (5, ATTRIBUTES, 0)]
    batch = dataset.__getitems__(keys)
    assert batch.categories.tolist() == [1, 0]
    assert batch.attributes.tolist() == [[1, 0]]
    assert batch.crops.shape == (3, 3, 64, 64)
    assert batch.embeddings is None
    assert batch.sampled_categories.tolist() == [True, True]


def test_crops_depend_on_the_iteration_and_on_nothing_else_that_changes(make):
    keys = [(5, DETECTION, 1), (5, DETECTION, 2), (5, ATTRIBUTES, 0)]
    crops = make().__getitems__(keys).crops
    assert torch.equal(crops, make().__getitems__(keys).crops)
    assert torch.equal(crops[1:2], make().__getitems__(keys[1:2]).crops)
    other = make().__getitems__([(6, *key[1:]) for key in keys]).crops
    assert not torch.equal(crops, other)


def test_sampled_categories_are_those_of_the_batch_first(make):
    batch = make(sampled_categories=1).__getitems__([(0, DETECTION, 1)])
    assert batch.sampled_categories.tolist() == [False, True]
    assert make().__getitems__([(0, DETECTION, 1)]).sampled_categories is None


def test_cached_embeddings_are_given_in_place_of_crops(make):
    keys = [(0, DETECTION, 1), (0, ATTRIBUTES, 0)]
    batch = make(embedder=lambda keys: torch.full((len(keys), 4), 7.0)).__getitems__(keys)
    assert batch.embeddings.tolist() == [[7.0] * 4] * 2
    assert batch.crops is None


def test_crops_are_augmented_as_in_step_one(make, monkeypatch):
    seen = []

    def spy(*args, **kwargs):
        seen.append(kwargs)
        return random_crop_boxes(*args, **kwargs)

    monkeypatch.setattr("ovarnet.training.data.crops.random_crop_boxes", spy)
    make().__getitems__([(0, ATTRIBUTES, 0)])
    assert seen == [{"enlarge": (0.0, 0.2), "keep": 0.9}]

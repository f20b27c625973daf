# ruff: noqa: E402 (detectron2 is looked for first)
"""Our datasets under a name in detectron2's catalogs."""

import json

import pytest
from detectron2_sources import require_detectron2

require_detectron2()

from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.data.build import get_detection_dataset_dicts

from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.integrations.detectron2.catalog import (
    dataset_vocabulary,
    read_dataset,
    register_dataset,
)
from ovarnet.integrations.detectron2.dataset_dicts import to_dataset_dict
from ovarnet.vocabulary import Vocabulary, Word


@pytest.fixture
def name(request):
    """A name that is free again after the test."""
    name = f"test_{request.node.name}"
    yield name
    DatasetCatalog.pop(name, None)
    MetadataCatalog.pop(name, None)


def test_a_registered_dataset_gives_its_dicts_and_metadata(catalogue, name):
    register_dataset(name, "custom", catalogue, "test")
    records = get_detection_dataset_dicts([name])
    words, images = open_dataset("custom", catalogue, "test")
    assert records == [to_dataset_dict(image, words) for image in images]
    metadata = MetadataCatalog.get(name)
    assert metadata.thing_classes == ["poster", "belt"]
    assert metadata.attribute_classes == ["red", "blue", "green"]
    assert metadata.evaluator_type == "ovarnet"
    assert dataset_vocabulary(name) == words


def test_a_vocabulary_of_several_datasets_moves_the_columns(catalogue, name):
    """belt is column 2 of it, poster is not in it; red and blue have changed places."""
    vocabulary = Vocabulary.of(["hat", "cap", "belt"], ["wet", "blue", Word("red", seen=True)])
    register_dataset(name, "custom", catalogue, "test", vocabulary=vocabulary)
    first, second = read_dataset(name)[:2]  # a red poster, a blue belt
    (poster,), (belt,) = first["annotations"], second["annotations"]
    assert (poster["category_id"], belt["category_id"]) == (3, 2)
    assert (poster["positive_attributes"], poster["negative_attributes"]) == ([2], [1])
    assert (belt["positive_attributes"], belt["negative_attributes"]) == ([1], [2])
    # of the three categories, this dataset has boxed the objects of one
    assert first["labelled_categories"] == second["labelled_categories"] == [2]
    assert MetadataCatalog.get(name).thing_classes == ["hat", "cap", "belt", "object"]


def test_boxes_without_a_category_are_of_the_class_object(catalogue, name):
    file = catalogue / "test.json"
    content = json.loads(file.read_text())
    del content["annotations"][0]["category_id"]
    file.write_text(json.dumps(content))
    register_dataset(name, "custom", catalogue, "test")
    assert read_dataset(name)[0]["annotations"][0]["category_id"] == 2
    assert MetadataCatalog.get(name).thing_classes == ["poster", "belt", "object"]


def test_splits_of_the_datasets_page_are_registered():
    ours = {name for name in DatasetCatalog.list() if name.startswith("ovarnet_")}
    assert ours == {
        *(f"ovarnet_{name}_{split}" for name in ("scenes", "vaw", "lsa") for split in SPLITS),
        "ovarnet_coco-ovd_train",
        "ovarnet_coco-ovd_val",
        "ovarnet_ovad_test",
    }


SPLITS = ("train", "val", "test")


def test_a_name_that_is_taken_or_unknown_is_refused(catalogue, name):
    register_dataset(name, "custom", catalogue, "test")
    with pytest.raises(InputError, match=r"has a dataset .* already; give another name"):
        register_dataset(name, "custom", catalogue, "test")
    with pytest.raises(InputError, match="has no dataset 'nowhere'; register it"):
        read_dataset("nowhere")
    with pytest.raises(InputError, match="'coco_2017_val' has no vocabulary"):
        dataset_vocabulary("coco_2017_val")

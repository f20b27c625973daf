import sys

import pytest
import torch
from dataset_files import write_image, write_json

from ovarnet.data.datasets import base_only, find_reader, ignored_categories, open_dataset
from ovarnet.errors import InputError
from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, UNKNOWN, Annotations
from ovarnet.vocabulary import Vocabulary, Word


def test_vaw_training_erases_novel_labels(tmp_path):
    write_json(
        tmp_path / "attribute_index.json", {"orange": 0, "red": 1}
    )  # orange is one of the 79 novel words
    for name in ("attribute_types", "attribute_parent_types", "head_tail"):
        write_json(tmp_path / f"{name}.json", {})
    for part, split in enumerate(("train_part1", "train_part2", "test")):
        record = {
            "image_id": "9",
            "instance_id": f"9{part}",
            "instance_bbox": [0, 0, 5, 5],
            "instance_polygon": None,
            "object_name": "mug",
            "positive_attributes": ["orange"],
            "negative_attributes": ["red"],
        }
        write_json(tmp_path / f"{split}.json", [record])
    write_image(tmp_path / "images/VG_100K/9.jpg")
    vocabulary, (image,) = open_dataset("vaw", tmp_path, "train")
    assert vocabulary.attribute_seen.tolist() == [False, True]
    assert image.attributes.tolist() == [[UNKNOWN, NEGATIVE]] * 2
    assert image.categories.tolist() == [NO_CATEGORY] * 2
    _, (image,) = open_dataset("vaw", tmp_path, "test")
    assert image.attributes.tolist() == [[POSITIVE, NEGATIVE]]


def test_base_only_on_a_hand_made_case():
    vocabulary = Vocabulary.of(
        [Word("base", seen=True), "novel"], ["novel", Word("base", seen=True)]
    )
    labels = torch.tensor(
        [[POSITIVE, POSITIVE], [NEGATIVE, NEGATIVE], [POSITIVE, UNKNOWN]], dtype=torch.int8
    )
    image = Annotations(
        "a.jpg", "1", 9, 9, [[0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 3, 3]], [0, 1, NO_CATEGORY], labels
    )
    (kept,) = base_only([image, image[[1]]], vocabulary)
    assert kept.boxes[:, 2].tolist() == [1, 3]
    assert kept.categories.tolist() == [0, NO_CATEGORY]
    assert kept.attributes.tolist() == [[UNKNOWN, POSITIVE], [UNKNOWN, UNKNOWN]]
    assert image.attributes[0].tolist() == [POSITIVE, POSITIVE], "the input is not changed"


def test_unknown_names_and_folders(tmp_path):
    for arguments, message in {
        ("coco", tmp_path, "val"): "give one of scenes, coco-ovd, vaw, ovad",
        ("ovad", tmp_path, "train"): "no split 'train'; give one of test",
        ("scenes", tmp_path / "none", "val"): "no such folder",
        ("scenes", tmp_path, "val"): "no such file",
    }.items():
        with pytest.raises(InputError, match=message):
            open_dataset(*arguments)


def test_every_name_has_a_reader_and_the_generated_world_may_be_absent(monkeypatch):
    for name in ("scenes", "coco-ovd", "vaw", "ovad", "lsa", "custom", "voc", "yolo"):
        assert find_reader(name).splits
    for name in [name for name in sys.modules if name.startswith("ovarnet.scenes")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ovarnet.scenes", None)
    with pytest.raises(InputError, match=r"dataset scenes needs the package ovarnet\.scenes"):
        find_reader("scenes")
    assert find_reader("custom").splits == ("train", "val", "test")


def test_only_coco_has_ignored_categories():
    assert "traffic light" in ignored_categories("coco-ovd")
    assert ignored_categories("coco-ovd:48/32") == ignored_categories("vaw") == frozenset()


def test_background_images_are_evaluated_but_not_trained_on(tmp_path):
    content = {
        "images": [{"id": n, "file_name": f"{n}.png"} for n in (1, 2)],
        "categories": [{"id": 1, "name": "mug"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 10, 20]}],
    }
    for split in ("train", "test"):
        write_json(tmp_path / f"{split}.json", content)
    write_json(tmp_path / "vocabulary.json", {"categories": [{"name": "mug", "seen": True}]})
    for number in (1, 2):
        write_image(tmp_path / f"images/{number}.png")
    _, images = open_dataset("custom", tmp_path, "test")
    assert [len(image) for image in images] == [1, 0]
    _, images = open_dataset("custom", tmp_path, "train")
    assert [len(image) for image in images] == [1]

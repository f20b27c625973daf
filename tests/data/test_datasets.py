import json

import pytest
import torch
from PIL import Image

from ovarnet.data.datasets import base_only, open_dataset
from ovarnet.errors import InputError
from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, UNKNOWN, Annotations
from ovarnet.vocabulary import Vocabulary, Word


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_image(path, size=(60, 40)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


def coco_box(number, image, category):
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": [1, 2, 10, 20],
        "area": 200,
        "iscrowd": 0,
    }


@pytest.fixture
def coco(tmp_path):
    """1 dog (novel) and person (base), 2 only a dog, 3 only a traffic light (ignored), 4
    nothing."""
    images = [
        {"id": n, "file_name": f"{n:012d}.jpg", "height": 40, "width": 60} for n in (1, 2, 3, 4)
    ]
    categories = [
        {"id": n, "name": name, "supercategory": "x"}
        for n, name in ((1, "person"), (10, "traffic light"), (18, "dog"))
    ]
    boxes = [coco_box(1, 1, 18), coco_box(2, 1, 1), coco_box(3, 2, 18), coco_box(4, 3, 10)]
    for split in ("train", "val"):
        write_json(
            tmp_path / f"annotations/instances_{split}2017.json",
            {"images": images, "annotations": boxes, "categories": categories},
        )
        for image in images:
            write_image(tmp_path / f"{split}2017" / image["file_name"])
    return tmp_path


def test_coco_ovd_keeps_images_with_a_kept_box(coco):
    vocabulary, images = open_dataset("coco-ovd", coco, "val")
    assert vocabulary.category_names == ["person", "dog"]
    assert vocabulary.category_seen.tolist() == [
        True,
        False,
    ]
    assert [(image.image_id, image.categories.tolist()) for image in images] == [
        ("1", [1, 0]),
        ("2", [1]),
    ]
    _, images = open_dataset("coco-ovd", coco, "train")
    assert [
        (image.image_id, image.categories.tolist(), image.instance_ids) for image in images
    ] == [("1", [0], ["2"])]


def test_images_need_not_be_there_to_score_predictions(coco):
    for file in (coco / "val2017").iterdir():
        file.unlink()
    assert len(open_dataset("coco-ovd", coco, "val", images=False)[1]) == 2
    with pytest.raises(InputError, match="none of its 4 images can be used"):
        open_dataset("coco-ovd", coco, "val")


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

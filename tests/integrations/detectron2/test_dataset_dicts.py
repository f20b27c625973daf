# ruff: noqa: E402 (detectron2 is looked for first)
"""Annotations <-> dataset dicts: nothing is lost either way."""

import pytest
import torch
from detectron2_sources import require_detectron2

require_detectron2()

from detectron2.structures import BoxMode

from ovarnet.integrations.detectron2.dataset_dicts import (
    attribute_rows,
    from_dataset_dict,
    to_dataset_dict,
)
from ovarnet.structures import NO_CATEGORY, UNKNOWN, Annotations
from ovarnet.vocabulary import Vocabulary

WORDS = Vocabulary.of(["mug", "car"], ["red", "striped", "wet"])


def street(**more):
    return Annotations(
        "a/street.jpg",
        "7",
        40,
        60,
        [[0, 1, 20, 30.5], [5, 5, 50, 40], [2, 2, 9, 9]],
        [1, NO_CATEGORY, 0],
        [[1, 0, 2], [2, 2, 2], [0, 1, 1]],
        is_crowd=[False, True, False],
        instance_ids=["x", "y", "z"],
        is_difficult=[False, False, True],
        **more,
    )


def test_the_dict_of_an_image_is_detectron2s_with_attributes():
    assert to_dataset_dict(street(), WORDS) == {
        "file_name": "a/street.jpg",
        "image_id": "7",
        "height": 40,
        "width": 60,
        "num_attributes": 3,
        "annotations": [
            {
                "id": "x",
                "bbox": [0.0, 1.0, 20.0, 30.5],
                "bbox_mode": BoxMode.XYXY_ABS,
                "category_id": 1,
                "iscrowd": 0,
                "difficult": False,
                "positive_attributes": [0],
                "negative_attributes": [1],
            },
            {
                "id": "y",
                "bbox": [5.0, 5.0, 50.0, 40.0],
                "bbox_mode": BoxMode.XYXY_ABS,
                "category_id": 2,  # the class "object" after the two categories
                "iscrowd": 1,
                "difficult": False,
                "positive_attributes": [],
                "negative_attributes": [],
            },
            {
                "id": "z",
                "bbox": [2.0, 2.0, 9.0, 9.0],
                "bbox_mode": BoxMode.XYXY_ABS,
                "category_id": 0,
                "iscrowd": 0,
                "difficult": True,
                "positive_attributes": [1, 2],
                "negative_attributes": [0],
            },
        ],
    }


@pytest.mark.parametrize("labelled", [None, [False, True]])
def test_annotations_come_back_as_they_were(labelled):
    image = street(labelled_categories=labelled)
    back = from_dataset_dict(to_dataset_dict(image, WORDS), WORDS)
    for name, value in vars(image).items():
        other = getattr(back, name)
        same = torch.equal(value, other) if isinstance(value, torch.Tensor) else value == other
        assert same, name


def test_a_dict_of_another_dataset_has_unknown_attributes():
    record = {
        "file_name": "b.jpg",
        "image_id": 12,
        "height": 40,
        "width": 60,
        "annotations": [{"bbox": [1, 2, 3, 4], "bbox_mode": BoxMode.XYWH_ABS, "category_id": 0}],
    }
    back = from_dataset_dict(record, WORDS)
    assert back.boxes.tolist() == [[1, 2, 4, 6]]
    assert back.attributes.tolist() == [[UNKNOWN] * 3]
    assert (back.image_id, back.instance_ids) == ("12", ["12:0"])
    assert not back.is_ignored.any()


def test_an_image_without_boxes():
    empty = street()[[]]
    back = from_dataset_dict(to_dataset_dict(empty, WORDS), WORDS)
    assert back.boxes.shape == (0, 4)
    assert back.attributes.shape == attribute_rows([], 3).shape == (0, 3)

# ruff: noqa: E402 (detectron2 is looked for first)
"""Dataset dicts -> pixels and Instances in the same frame."""

import copy

import numpy as np
import pytest
import torch
from detectron2_sources import require_detectron2

require_detectron2()

from detectron2.config import get_cfg
from detectron2.data import transforms
from detectron2.data.detection_utils import SizeMismatchError
from PIL import Image

from ovarnet.integrations.detectron2.dataset_dicts import to_dataset_dict
from ovarnet.integrations.detectron2.dataset_mapper import AttributeMapper
from ovarnet.structures import Annotations
from ovarnet.vocabulary import Vocabulary

WORDS = Vocabulary.of(["mug"], ["red", "wet"])


@pytest.fixture
def record(tmp_path):
    """60 x 40 pixels, red in its left half; a mug there and a crowd at the right edge."""
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:, :30] = (255, 0, 9)
    Image.fromarray(picture).save(tmp_path / "a.png")
    image = Annotations(
        str(tmp_path / "a.png"),
        "1",
        40,
        60,
        [[0, 5, 20, 40], [50, 0, 60, 10]],
        [0, 0],
        [[1, 2], [0, 1]],
        is_crowd=[False, True],
    )
    return to_dataset_dict(image, WORDS)


def mapper(*augmentations, is_train=True, image_format="RGB"):
    return AttributeMapper(is_train, augmentations=augmentations, image_format=image_format)


def test_pixels_boxes_and_attributes(record):
    before = copy.deepcopy(record)
    found = mapper(image_format="BGR")(record)
    assert record == before
    assert found["image"].shape == (3, 40, 60)
    assert found["image"][:, 0, 0].tolist() == [9, 0, 255]
    instances = found["instances"]
    assert instances.image_size == (40, 60)
    assert instances.gt_boxes.tensor.tolist() == [[0, 5, 20, 40], [50, 0, 60, 10]]
    assert instances.gt_classes.tolist() == [0, 0]
    assert instances.gt_attributes.tolist() == [[1, 2], [0, 1]]
    assert instances.gt_attributes.dtype == torch.int8
    assert instances.gt_is_ignored.tolist() == [False, True]


def test_augmentation_moves_pixels_and_boxes_alike(record):
    found = mapper(transforms.RandomFlip(prob=1.0))(record)
    assert found["image"][0, 0, [0, 59]].tolist() == [0, 255]
    assert found["instances"].gt_boxes.tensor.tolist() == [[40, 5, 60, 40], [0, 0, 10, 10]]


def test_boxes_that_a_crop_has_cut_away_are_dropped_in_training_alone(record):
    crop = transforms.CropTransform(0, 0, 30, 40)
    assert mapper(crop)(record)["instances"].gt_boxes.tensor.tolist() == [[0, 5, 20, 40]]
    assert len(mapper(crop, is_train=False)(record)["instances"]) == 2


def test_an_image_of_another_size_than_annotated_is_refused(record):
    with pytest.raises(SizeMismatchError):
        mapper()(record | {"width": 61})


def test_a_config_gives_channel_order_and_augmentations(record):
    cfg = get_cfg()
    cfg.INPUT.FORMAT = "RGB"
    cfg.INPUT.MIN_SIZE_TEST = 20
    found = AttributeMapper(cfg, is_train=False)(record)
    assert found["image"].shape == (3, 20, 30)
    assert found["instances"].gt_boxes.tensor.tolist() == [[0, 2.5, 10, 20], [25, 0, 30, 5]]

# ruff: noqa: E402 (detectron2 is looked for first)
"""detectron2's Visualizer on our results."""

import numpy as np
import pytest
import torch
from detectron2_sources import require_detectron2

require_detectron2()

from detectron2.data import Metadata
from detectron2.structures import BoxMode
from detectron2.utils.visualizer import Visualizer

from ovarnet.integrations.detectron2.instances import to_instances
from ovarnet.integrations.detectron2.visualizer import AttributeVisualizer
from ovarnet.structures import Detections
from ovarnet.vocabulary import Vocabulary

WORDS = Vocabulary.of(["mug", "car"], ["red", "striped", "wet"])
IMAGE = np.full((80, 120, 3), 200, np.uint8)
INSTANCES = to_instances(
    Detections(
        torch.tensor([[5.0, 10, 60, 70], [70, 20, 110, 60]]),
        torch.tensor([0.75, 0.5]),
        torch.tensor([[0.25, 0.875], [0.625, 0.5]]),
        torch.tensor([[0.625, 0.5, 0.25], [0.1, 0.0, 0.25]]),
        WORDS.category_names,
        WORDS.attribute_names,
    ),
    (80, 120),
)


@pytest.fixture
def labels(monkeypatch):
    """The labels that are drawn."""
    drawn = []
    overlay = Visualizer.overlay_instances

    def noted(self, **given):
        drawn.extend(given["labels"])
        return overlay(self, **given)

    monkeypatch.setattr(Visualizer, "overlay_instances", noted)
    return drawn


def test_predictions_are_drawn_with_their_attributes(labels):
    picture = AttributeVisualizer(IMAGE, WORDS, scale=2).draw_instance_predictions(INSTANCES)
    assert labels == ["car 0.75: red 0.62, striped 0.50", "mug 0.50"]
    assert picture.get_image().shape == (160, 240, 3)
    assert (picture.get_image() != 200).any()


def test_how_many_attributes_and_from_which_score(labels):
    AttributeVisualizer(
        IMAGE, WORDS, top_attributes=1, attribute_threshold=0.2
    ).draw_instance_predictions(INSTANCES)
    assert labels == ["car 0.75: red 0.62", "mug 0.50: wet 0.25"]


def test_detectron2s_own_visualizer_draws_the_same_instances(labels):
    metadata = Metadata(thing_classes=["mug", "car"])
    Visualizer(IMAGE, metadata).draw_instance_predictions(INSTANCES)
    assert labels == ["car 75%", "mug 50%"]


def test_annotations_are_drawn_with_their_attributes(labels):
    box = {"bbox": [5, 10, 60, 70], "bbox_mode": BoxMode.XYXY_ABS}
    annotations = [
        {**box, "category_id": 0, "positive_attributes": [0, 2], "negative_attributes": [1]},
        {**box, "category_id": 2},
    ]
    AttributeVisualizer(IMAGE, WORDS).draw_dataset_dict({"annotations": annotations})
    assert labels == ["mug: red, wet", "object"]


def test_an_image_without_boxes_stays_as_it_is():
    picture = AttributeVisualizer(IMAGE, WORDS).draw_instance_predictions(INSTANCES[[]])
    assert (picture.get_image() == 200).all()

"""Scores survive the conversion to supervision, its filters, and the conversion back."""

import numpy as np
import pytest
import supervision as sv
import torch

from ovarnet.errors import InputError
from ovarnet.integrations.supervision import from_supervision, to_supervision
from ovarnet.structures import Detections


@pytest.fixture
def found():
    return Detections(
        [[0, 0, 10, 10], [5, 5, 20, 30]],
        torch.tensor([0.9, 0.4]),
        torch.tensor([[0.1, 0.8], [0.7, 0.2]]),
        torch.tensor([[0.5, 0.6, 0.7], [0.1, 0.2, 0.3]]),
        ["mug", "car"],
        ["red", "tiny", "flat"],
    )


def test_there_and_back_with_a_filter_between(found):
    detections = to_supervision(found)
    assert detections.class_id.tolist() == [1, 0]
    assert detections.data["class_name"].tolist() == ["car", "mug"]
    back = from_supervision(detections[detections.confidence > 0.5])
    assert back.boxes.tolist() == [[0, 0, 10, 10]]
    assert torch.equal(back.attribute_scores, found.attribute_scores[:1])
    assert torch.equal(back.category_scores, found.category_scores[:1])
    assert (back.categories, back.attributes) == (found.categories, found.attributes)


def test_no_boxes_and_no_categories(found):
    empty = from_supervision(to_supervision(found[:0]))
    assert empty.category_scores.shape == (0, 2)
    assert empty.attribute_scores.shape == (0, 3)
    plain = Detections(
        found.boxes, found.scores, torch.zeros(2, 0), found.attribute_scores, [], found.attributes
    )
    assert to_supervision(plain).class_id is None
    assert from_supervision(to_supervision(plain)).category_scores.shape == (2, 0)


def test_detections_of_another_source_are_refused():
    with pytest.raises(
        InputError, match="lack category_scores, attribute_scores, categories, attributes"
    ):
        from_supervision(sv.Detections(xyxy=np.zeros((1, 4)), confidence=np.ones(1)))

# ruff: noqa: E402 (detectron2 is looked for first)
"""Detections <-> Instances."""

import pytest
import torch
from detectron2_sources import require_detectron2

require_detectron2()

from detectron2.structures import Boxes, Instances

from ovarnet.errors import InputError
from ovarnet.integrations.detectron2.instances import from_instances, to_instances
from ovarnet.structures import Detections
from ovarnet.vocabulary import Vocabulary

WORDS = Vocabulary.of(["mug", "car"], ["red", "striped", "wet"])
FOUND = Detections(
    torch.tensor([[0.0, 1, 20, 30], [5, 5, 50, 40]]),
    torch.tensor([0.75, 0.5]),
    torch.tensor([[0.25, 0.875], [0.625, 0.5]]),
    torch.tensor([[0.125, 0.5, 0.25], [1.0, 0.0, 0.75]]),
    ["mug", "car"],
    ["red", "striped", "wet"],
)


def test_detections_become_instances():
    instances = to_instances(FOUND, (40, 60))
    assert instances.image_size == (40, 60)
    assert instances.pred_boxes.tensor.tolist() == [[0, 1, 20, 30], [5, 5, 50, 40]]
    assert instances.scores.tolist() == [0.75, 0.5]
    assert instances.pred_classes.tolist() == [1, 0]
    assert instances.attribute_scores.tolist() == [[0.125, 0.5, 0.25], [1.0, 0.0, 0.75]]


@pytest.mark.parametrize("rows", [[0, 1], [1], []])
def test_they_come_back_also_when_filtered(rows):
    index = torch.tensor(rows, dtype=torch.int64)
    back = from_instances(to_instances(FOUND, (40, 60))[index], WORDS)
    for name, value in vars(FOUND[index]).items():
        other = getattr(back, name)
        assert torch.equal(value, other) if isinstance(value, torch.Tensor) else value == other


def test_without_categories_every_box_is_of_class_0():
    found = Detections(
        FOUND.boxes, FOUND.scores, torch.zeros(2, 0), FOUND.attribute_scores, [], FOUND.attributes
    )
    assert to_instances(found, (40, 60)).pred_classes.tolist() == [0, 0]


def test_a_detector_of_detectron2_scores_its_class_alone():
    instances = Instances(
        (40, 60),
        pred_boxes=Boxes(torch.zeros(3, 4)),
        scores=torch.tensor([0.5, 0.25, 0.125]),
        pred_classes=torch.tensor([1, 0, 2]),  # 2: the class "object"
    )
    found = from_instances(instances, WORDS)
    assert found.category_scores.tolist() == [[0, 0.5], [0.25, 0], [0, 0]]
    assert (found.attributes, found.attribute_scores.shape) == ([], (3, 0))


def test_scores_of_other_words_are_refused():
    with pytest.raises(InputError, match=r"scored 3 attributes but there are 1; .*set_vocabulary"):
        from_instances(to_instances(FOUND, (40, 60)), Vocabulary.of(["mug", "car"], ["red"]))

# ruff: noqa: E402 (detectron2 is looked for first)
"""detectron2's training inputs as batches of our stages."""

from types import SimpleNamespace

import pytest
import torch
from detectron2_sources import require_detectron2

require_detectron2()

from detectron2.structures import Boxes, Instances

from ovarnet.config import Distillation
from ovarnet.integrations.detectron2.training_batches import (
    box_batch,
    distillation_batch,
    input_annotations,
    rgb_pixels,
)
from ovarnet.modeling.crops import crop_boxes
from ovarnet.structures import NO_CATEGORY, UNKNOWN, Proposals
from ovarnet.training.distillation.dataset import CropTransform
from ovarnet.vocabulary import Vocabulary, Word

# Novel first, so that nothing can go by position.
WORDS = Vocabulary.of(
    [Word("key"), Word("mug", seen=True), Word("car", seen=True)],
    [Word("gray"), Word("red", seen=True), Word("wet", seen=True)],
)
BOXES = torch.tensor([[0.0, 5, 20, 40], [5, 5, 50, 40], [30, 0, 60, 10]])
CLIP = SimpleNamespace(
    image_size=8, mean=(0.5, 0.5, 0.5), std=(0.25, 0.5, 1.0), device=torch.device("cpu")
)


def scene(**more):
    """A mug, a box without a category, and a crowd of cars, in 40 x 60 random pixels."""
    pixels = torch.randint(256, (3, 40, 60), generator=torch.Generator().manual_seed(0))
    return {
        "file_name": "a.png",
        "image_id": "1",
        "image": pixels.to(torch.uint8),
        "instances": Instances(
            (40, 60),
            gt_boxes=Boxes(BOXES.clone()),
            gt_classes=torch.tensor([1, 3, 2]),
            gt_attributes=torch.tensor([[2, 1, 0], [2, 2, 2], [2, 1, 1]], dtype=torch.int8),
            gt_is_ignored=torch.tensor([False, False, True]),
        ),
        **more,
    }


class FixedTeacher:
    """Proposes two boxes; its crops are those of a CLIP of 8 pixels."""

    proposals = torch.tensor([[1.0, 1, 9, 9], [20, 20, 40, 40]])
    crop = CropTransform(8, CLIP.mean, CLIP.std)

    @property
    def model(self):
        return SimpleNamespace(proposer=self)

    def propose(self, images):
        assert images[0].shape == (3, 40, 60)
        return [Proposals(self.proposals, torch.ones(2))]


def batch_of(inputs, teacher=None, **settings):
    return distillation_batch(
        inputs,
        WORDS,
        teacher,
        Distillation(**settings),
        input_format="BGR",
        device=torch.device("cpu"),
    )


def test_pixels_are_rgb_in_0_to_1():
    image = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(3, 1, 1)
    assert rgb_pixels(image, "RGB").flatten().tolist() == pytest.approx([0, 0.2, 1])
    assert rgb_pixels(image, "BGR").flatten().tolist() == pytest.approx([1, 0.2, 0])


def test_targets_have_base_columns():
    batch = batch_of([scene()])
    assert torch.equal(batch.images[0], scene()["image"].flip(0) / 255)
    (targets,) = batch.targets
    assert torch.equal(targets.boxes, BOXES)
    assert targets.categories.tolist() == [0, NO_CATEGORY, 1]
    assert targets.attributes.tolist() == [[1, 0], [2, 2], [1, 1]]
    assert targets.is_ignored.tolist() == [False, False, True]
    assert targets.is_box_supervised.tolist() == [True, False, False]
    assert targets.all_annotated
    assert targets.teacher_crops is None
    assert len(targets.proposals) == 0


@pytest.mark.parametrize(("labelled", "expected"), [([1, 2], True), ([1], False), ([], False)])
def test_background_is_known_where_the_base_categories_are_all_annotated(labelled, expected):
    assert batch_of([scene(labelled_categories=labelled)]).targets[0].all_annotated is expected


def test_the_teacher_sees_the_boxes_then_the_drawn_proposals():
    torch.manual_seed(0)
    batch = batch_of([scene()], FixedTeacher(), proposals_per_image=1)
    (targets,) = batch.targets
    assert len(targets.proposals) == 1
    assert targets.proposals[0].tolist() in FixedTeacher.proposals.tolist()
    regions = torch.cat([BOXES, targets.proposals])
    expected = crop_boxes(batch.images[0], regions, 8, CLIP.mean, CLIP.std)
    assert torch.equal(targets.teacher_crops, expected)
    best = batch_of([scene()], FixedTeacher(), teacher_proposals_per_image=1).targets[0]
    assert best.proposals.tolist() == [[1, 1, 9, 9]]


def test_boxes_of_step_one_are_those_with_a_label():
    """The mug has a category and attributes; the other boxes have neither, or are ignored."""
    batch = box_batch([scene(), scene()], WORDS, CLIP, input_format="RGB")
    assert batch.categories.tolist() == [0, 0]
    assert batch.attributes.tolist() == [[1, 0], [1, 0]]
    assert batch.crops.shape == (4, 3, 8, 8)


def test_detectron2s_own_mapper_leaves_attributes_unknown():
    record = scene()
    record["instances"].remove("gt_attributes")
    record["instances"].remove("gt_is_ignored")
    annotations = input_annotations(record, WORDS)
    assert (annotations.attributes == UNKNOWN).all()
    assert annotations.attributes.shape == (3, 3)
    assert not annotations.is_ignored.any()
    assert annotations.categories.tolist() == [1, NO_CATEGORY, 2]

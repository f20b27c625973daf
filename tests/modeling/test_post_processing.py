"""Which boxes are kept, with overlaps worked out by hand."""

import math

import pytest
import torch
from torchvision.ops import nms

from ovarnet.errors import InputError
from ovarnet.io.word_thresholds import WordThresholds
from ovarnet.modeling.post_processing import (
    ACROSS_CATEGORIES_IOU,
    PROTOCOL,
    PostProcessing,
    best_detections,
    without_contained,
)
from ovarnet.structures import Detections

MUG, CAR = [0.9, 0.1], [0.1, 0.9]
WHOLE = [0, 0, 10, 10]
THREE_QUARTERS = [0, 0, 10, 7.5]
"""IoU with WHOLE: 75 / 100; it lies in it."""
SHIFTED = [0, 2, 10, 12]
"""IoU with WHOLE: 80 / 120 = 0.667; 0.8 of it lies in WHOLE."""
PART = [1, 1, 3, 3]
STICKING_OUT = [8, 0, 12, 5]
"""Of its 20 pixels 10 lie in WHOLE."""


def detections(*rows, categories=("mug", "car")):
    """Rows of (box, category scores), scored 0.9, 0.8, ... in this order."""
    return Detections(
        [row[0] for row in rows],
        torch.tensor([0.9 - 0.1 * index for index in range(len(rows))]),
        torch.tensor([row[1] for row in rows]).reshape(len(rows), -1)[:, : len(categories)],
        torch.zeros(len(rows), 0),
        list(categories),
    )


def kept(found, **options):
    """Rows that stay, by their scores."""
    return [round(9 - 10 * score) for score in PostProcessing(**options)(found).scores.tolist()]


def test_categories_may_have_thresholds_of_their_own():
    far = [30, 30, 40, 40]
    found = detections((WHOLE, MUG), (far, CAR))
    assert kept(found, threshold=0.85) == [0]
    assert kept(found, threshold=0.85, word_thresholds=WordThresholds({"car": 0.5})) == [0, 1]
    assert kept(found, word_thresholds=WordThresholds({"mug": 0.95})) == [1]


def test_lowest_threshold_is_that_of_any_category():
    assert PostProcessing(threshold=0.4).lowest_threshold == 0.4
    words = WordThresholds({"car": 0.3, "mug": 0.9}, {"red": 0.1})
    assert PostProcessing(threshold=0.4, word_thresholds=words).lowest_threshold == 0.3
    assert PostProcessing(threshold=0.2, word_thresholds=words).lowest_threshold == 0.2
    assert PostProcessing(threshold=0.2, word_thresholds=WordThresholds()).lowest_threshold == 0.2


def test_the_same_object_under_two_names_is_kept_once():
    found = detections((WHOLE, MUG), (SHIFTED, CAR), (THREE_QUARTERS, CAR))
    assert ACROSS_CATEGORIES_IOU == 0.65
    assert kept(found) == [0]
    assert kept(found[:2], nms_iou=0.67) == [0, 1]  # the higher of the two
    assert kept(found[:2], class_agnostic=True, nms_iou=0.66) == [0]
    assert kept(found[:2], class_agnostic=True, nms_iou=0.67) == [0, 1]
    assert kept(found[:2], class_agnostic=False, nms_iou=0.1) == [0, 1]


def test_overlaps_below_the_threshold_stay_under_two_names_and_not_under_one():
    lower = [0, 3, 10, 13]  # IoU with WHOLE: 70 / 130 = 0.54
    assert kept(detections((WHOLE, MUG), (lower, CAR))) == [0, 1]
    assert kept(detections((WHOLE, MUG), (lower, MUG))) == [0]
    assert kept(detections((WHOLE, MUG), (lower, CAR)), class_agnostic=True) == [0]
    assert kept(detections((WHOLE, MUG), (lower, MUG)), nms_iou=0.55) == [0, 1]


def test_a_box_in_a_better_one_of_the_same_category_is_dropped():
    assert kept(detections((WHOLE, MUG), (PART, MUG))) == [0]
    assert kept(detections((PART, MUG), (WHOLE, MUG))) == [0, 1]
    assert kept(detections((WHOLE, MUG), (PART, CAR))) == [0, 1]
    assert kept(detections((WHOLE, MUG), (STICKING_OUT, MUG))) == [0, 1]
    assert kept(detections((WHOLE, MUG), (STICKING_OUT, MUG)), containment=0.49) == [0]
    assert kept(detections((WHOLE, MUG), (STICKING_OUT, MUG)), containment=0.5) == [0, 1]
    assert kept(detections((WHOLE, MUG), (PART, MUG)), containment=1) == [0, 1]


def test_a_box_that_is_dropped_drops_no_other():
    outer, middle, inner = [0, 0, 10, 10], [0, 0, 10.5, 4], [7, 0, 10.5, 4]
    found = detections((outer, MUG), (middle, MUG), (inner, MUG))  # 0.95 and 0.86 lie in outer
    assert kept(found) == [0, 2]
    assert kept(found[1:]) == [1]


def test_without_categories_only_overlap_counts():
    found = detections((WHOLE, []), (THREE_QUARTERS, []), (PART, []), categories=())
    assert kept(found) == [0, 2]
    assert kept(found, nms_iou=0.75, class_agnostic=False) == [0, 1, 2]


def test_a_second_name_drops_its_own_parts_before_it_goes():
    found = detections((WHOLE, MUG), (SHIFTED, CAR), ([1, 2, 3, 5], CAR))
    assert kept(found) == [0]


def test_one_is_no_suppression_at_all():
    found = detections((WHOLE, MUG), (WHOLE, MUG), (PART, MUG), (WHOLE, CAR))
    for class_agnostic in (None, True, False):
        options = {"nms_iou": 1, "containment": 1, "class_agnostic": class_agnostic}
        assert kept(found, **options) == [0, 1, 2, 3]


def test_threshold_and_limit():
    found = detections((PART, MUG), ([5, 5, 7, 7], MUG), ([5, 0, 7, 2], CAR))
    assert kept(found, threshold=float(found.scores[1])) == [0, 1]
    assert kept(found, threshold=1) == []
    assert kept(found, limit=2) == [0, 1]
    assert kept(found[:0]) == []
    assert kept(found[[2, 0, 1]]) == [0, 1, 2]


def test_boxes_of_no_area_are_kept():
    line = [1, 1, 1, 5]
    assert kept(detections((WHOLE, MUG), (line, MUG))) == [0, 1]


def test_class_agnostic_is_the_plain_suppression_of_torchvision():
    torch.manual_seed(0)
    corners = torch.rand(200, 2) * 50
    found = Detections(
        torch.cat([corners, corners + 5 + torch.rand(200, 2) * 20], dim=1),
        torch.rand(200),
        torch.rand(200, 5),
        torch.zeros(200, 0),
        list("abcde"),
    )
    for iou in (0.3, 0.7):
        options = {"nms_iou": iou, "class_agnostic": True, "containment": 1}
        selected = PostProcessing(**options)(found)
        assert torch.equal(selected.boxes, found.boxes[nms(found.boxes, found.scores, iou)[:100]])
        protocol = PostProcessing(nms_iou=iou).updated(**PROTOCOL)(found)
        assert torch.equal(protocol.boxes, best_detections(found, iou, 100).boxes)


def test_evaluation_suppresses_within_a_category_alone():
    found = detections((WHOLE, MUG), (THREE_QUARTERS, MUG), (WHOLE, CAR), (PART, MUG))
    assert kept(found, **PROTOCOL) == [0, 2, 3]
    assert best_detections(found, 0.5, 2).scores.tolist() == pytest.approx([0.9, 0.7])
    assert len(without_contained(found[[0, 2, 3]], 0.9)) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nms_iou": 0}, "nms_iou is 0; it must be above 0 and at most 1"),
        ({"nms_iou": 1.01}, "nms_iou is 1.01; it must be above 0 and at most 1"),
        ({"nms_iou": math.nan}, "nms_iou is nan; it must be above 0 and at most 1"),
        ({"nms_iou": "0.5"}, "nms_iou is '0.5'; it must be above 0 and at most 1"),
        ({"containment": True}, "containment is True; it must be above 0 and at most 1"),
        ({"containment": -0.1}, "containment is -0.1; it must be above 0 and at most 1"),
        ({"threshold": 1.5}, "threshold is 1.5; it must be from 0 to 1"),
        ({"threshold": None}, "threshold is None; it must be from 0 to 1"),
        ({"limit": 0}, "limit is 0; it must be a whole number of 1 or more"),
        ({"limit": 2.0}, "limit is 2.0; it must be a whole number of 1 or more"),
        ({"limit": True}, "limit is True; it must be a whole number of 1 or more"),
        ({"class_agnostic": "no"}, "class_agnostic is 'no'; it must be True, False or None"),
    ],
)
def test_values_outside_their_range(options, message):
    with pytest.raises(InputError) as raised:
        PostProcessing().updated(**options)
    assert str(raised.value) == message

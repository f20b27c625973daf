"""Anchors and regions matched to boxes, by hand."""

import torch

from ovarnet.losses.assignment import (
    BACKGROUND,
    BETWEEN,
    anchor_labels,
    is_inside,
    match,
    sample_balanced,
)

BOXES = torch.tensor([[0.0, 0, 10, 10], [20, 20, 40, 40]])
NONE_IGNORED = torch.tensor([False, False])


def test_match_by_iou():
    """IoU with the first box: 1, .7, .5, .25, 0."""
    candidates = torch.tensor(
        [[0.0, 0, 10, 10], [0, 0, 10, 7], [0, 0, 10, 5], [0, 0, 5, 5], [50, 50, 60, 60]]
    )
    assert match(candidates, BOXES, NONE_IGNORED, 0.6, 0.3).tolist() == [
        0,
        0,
        BETWEEN,
        BACKGROUND,
        BACKGROUND,
    ]


def test_the_best_candidate_of_a_box_is_matched_when_asked():
    weak = torch.tensor([[0.0, 0, 10, 4], [20, 20, 40, 40]])
    assert match(weak, BOXES, NONE_IGNORED, 0.6, 0.3).tolist() == [BETWEEN, 1]
    assert match(weak, BOXES, NONE_IGNORED, 0.6, 0.3, allow_low_quality_matches=True).tolist() == [
        0,
        1,
    ]


def test_no_boxes_are_background_and_no_candidates_are_none():
    assert match(BOXES, torch.zeros(0, 4), NONE_IGNORED[:0], 0.6, 0.3).tolist() == [
        BACKGROUND,
        BACKGROUND,
    ]
    assert match(torch.zeros(0, 4), BOXES, NONE_IGNORED, 0.6, 0.3).tolist() == []


def test_candidates_inside_an_ignored_box_are_not_background():
    """Within it, half of it within, less than half, and in the box that is not ignored."""
    candidates = torch.tensor(
        [[22.0, 22, 26, 26], [36, 22, 44, 26], [37, 22, 45, 26], [1, 1, 3, 3]]
    )
    assert match(candidates, BOXES, torch.tensor([False, True]), 0.6, 0.3).tolist() == [
        BETWEEN,
        BETWEEN,
        BACKGROUND,
        BACKGROUND,
    ]


def test_anchors_on_boxes_that_do_not_supervise_are_ignored():
    matched = torch.tensor([0, 1, BACKGROUND, BETWEEN])
    assert anchor_labels(matched, torch.tensor([True, False])).tolist() == [1, -1, 0, -1]


def test_sampling_fills_up_with_negatives_and_never_takes_ignored_anchors():
    positive, negative = sample_balanced(torch.tensor([1, 0, -1, 0, 0, 1, -1]), 5, 0.2)
    assert len(positive) == 1
    assert set(positive.tolist()) <= {0, 5}
    assert sorted(negative.tolist()) == [1, 3, 4]


def test_sampling_takes_all_where_there_are_few():
    positive, negative = sample_balanced(torch.tensor([1, 0, -1]), 64)
    assert (positive.tolist(), negative.tolist()) == ([0], [1])
    positive, negative = sample_balanced(torch.tensor([-1, -1]), 64)
    assert (positive.tolist(), negative.tolist()) == ([], [])


def test_inside_is_a_share_of_the_candidate_not_an_iou():
    small, half, outside = [22.0, 22, 24, 24], [10.0, 20, 30, 40], [0.0, 0, 30, 30]
    assert is_inside(torch.tensor([small, half, outside]), BOXES[1:]).tolist() == [
        True,
        True,
        False,
    ]
    assert is_inside(torch.tensor([small]), BOXES[:0]).tolist() == [False]

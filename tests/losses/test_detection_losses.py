import math

import pytest
import torch

from ovarnet.losses.assignment import BACKGROUND, BETWEEN, anchor_labels, match, sample
from ovarnet.losses.detection import background_loss, box_loss, objectness_loss

BOXES = torch.tensor([[0.0, 0, 10, 10], [20, 20, 40, 40]])
NO_CROWD = torch.tensor([False, False])


def test_match_by_iou():
    """IoU with the first box: 1, .7, .5, .25, 0."""
    candidates = torch.tensor(
        [[0.0, 0, 10, 10], [0, 0, 10, 7], [0, 0, 10, 5], [0, 0, 5, 5], [50, 50, 60, 60]]
    )
    assert match(candidates, BOXES, NO_CROWD, 0.6, 0.3).tolist() == [
        0,
        0,
        BETWEEN,
        BACKGROUND,
        BACKGROUND,
    ]


def test_best_candidate_of_a_box_counts_when_asked():
    weak = torch.tensor([[0.0, 0, 10, 4], [20, 20, 40, 40]])
    assert match(weak, BOXES, NO_CROWD, 0.6, 0.3).tolist() == [BETWEEN, 1]
    assert match(weak, BOXES, NO_CROWD, 0.6, 0.3, best_too=True).tolist() == [0, 1]


def test_no_boxes_are_background_and_no_candidates_are_none():
    assert match(BOXES, torch.zeros(0, 4), NO_CROWD[:0], 0.6, 0.3).tolist() == [
        BACKGROUND,
        BACKGROUND,
    ]
    assert match(torch.zeros(0, 4), BOXES, NO_CROWD, 0.6, 0.3).tolist() == []


def test_what_lies_in_a_crowd_is_no_background():
    """Within the crowd, half of it within, less than half, and in the box that is no crowd."""
    candidates = torch.tensor(
        [[22.0, 22, 26, 26], [36, 22, 44, 26], [37, 22, 45, 26], [1, 1, 3, 3]]
    )
    assert match(candidates, BOXES, torch.tensor([False, True]), 0.6, 0.3).tolist() == [
        BETWEEN,
        BETWEEN,
        BACKGROUND,
        BACKGROUND,
    ]


def test_anchors_on_boxes_that_teach_no_boxes_are_left_out():
    matched = torch.tensor([0, 1, BACKGROUND, BETWEEN])
    assert anchor_labels(matched, torch.tensor([True, False])).tolist() == [1, -1, 0, -1]


def test_sample_fills_up_with_negatives_and_never_takes_the_unjudged():
    positive, negative = sample(torch.tensor([1, 0, -1, 0, 0, 1, -1]), 5, 0.2)
    assert len(positive) == 1
    assert set(positive.tolist()) <= {0, 5}
    assert sorted(negative.tolist()) == [1, 3, 4]


def test_objectness_loss():
    assert objectness_loss(torch.zeros(4), torch.tensor([1, 0, 0, 1])).item() == pytest.approx(
        math.log(2)
    )


def test_box_loss_is_divided_by_all_that_were_judged():
    """|d| = 1 > beta: 1 - beta / 2 for each of four deltas."""
    assert box_loss(torch.ones(1, 4), torch.zeros(1, 4), 8).item() == pytest.approx(
        4 * (1 - 1 / 18) / 8
    )


def test_background_loss_weights_words():
    """softplus(0) = log 2 in both columns, weights 1 and 3."""
    assert background_loss(torch.zeros(2, 2), torch.tensor([1.0, 3.0])).item() == pytest.approx(
        2 * math.log(2)
    )


def test_nothing_to_judge_is_zero_with_a_gradient():
    logits, deltas = torch.zeros(0, 3, requires_grad=True), torch.zeros(0, 4, requires_grad=True)
    total = (
        objectness_loss(logits[:, 0], torch.zeros(0))
        + box_loss(deltas, torch.zeros(0, 4), 0)
        + background_loss(logits, torch.ones(3))
    )
    total.backward()
    assert total.item() == 0
    assert logits.grad.shape == (0, 3)

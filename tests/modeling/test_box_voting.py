"""Box voting by hand."""

import pytest
import torch

from ovarnet.modeling.box_voting import vote


def test_the_mean_of_what_lies_on_a_box_weighted_by_score():
    kept = torch.tensor([[[0.0, 0, 10, 10]]])
    boxes = torch.tensor(
        [
            [
                [0.0, 0, 10, 10],
                [0, 0, 10, 7.6],  # IoU 0.76, which is enough
                [0, 0, 10, 7],  # 0.7
                [0, 1, 10, 11],  # 9 / 11, and no score
                [30, 30, 40, 40],
            ]
        ]
    )
    scores = torch.tensor([[0.9, 0.3, 0.8, -1.0, 0.7]])
    expected = [0, 0, 10, (0.9**3 * 10 + 0.3**3 * 7.6) / (0.9**3 + 0.3**3)]
    assert vote(kept, boxes, scores)[0, 0].tolist() == pytest.approx(expected)


def test_a_box_alone_stays_to_the_last_digit_and_one_without_a_vote_too():
    boxes = torch.tensor([[[0.1, 0.2, 9.7, 7.3], [0.0, 0, 0, 0]]])
    assert torch.equal(vote(boxes, boxes, torch.tensor([[0.5, -1.0]])), boxes)
    none = torch.zeros(1, 0, 4)
    assert vote(none, boxes, torch.tensor([[0.5, -1.0]])).shape == (1, 0, 4)
    assert torch.equal(vote(boxes, none, torch.zeros(1, 0)), boxes)


def test_images_do_not_mix_and_precision_stays():
    kept = torch.tensor([[[0.0, 0, 10, 10]], [[0.0, 0, 10, 10]]])
    boxes = torch.tensor([[[0.0, 0, 10, 10]], [[0.0, 0, 10.01, 10]]])
    with torch.autocast("cpu", torch.bfloat16):
        moved = vote(kept, boxes, torch.ones(2, 1))
    torch.testing.assert_close(moved, boxes, atol=1e-6, rtol=0)

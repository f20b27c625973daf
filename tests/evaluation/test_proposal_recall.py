"""Recall of boxes. They are 10 high, so an IoU is that of two intervals on the x axis."""

import math

import numpy as np
import pytest
import torch

from ovarnet.errors import InputError
from ovarnet.evaluation.proposal_recall import box_recall
from ovarnet.structures import Annotations, Proposals


def spans(*pairs):
    return torch.tensor(
        [[left, 0, right, 10] for left, right in pairs], dtype=torch.float32
    ).reshape(-1, 4)


def truth(boxes, categories, crowd=None):
    return Annotations(
        "x.jpg", "1", 10, 100, boxes, torch.tensor(categories), torch.zeros(len(boxes), 0), crowd
    )


SEEN = torch.tensor([True, False])


def test_recall_of_base_novel_and_all():
    pairs = [
        (
            truth(spans((0, 10), (20, 30), (40, 50)), [0, 1, -1]),
            Proposals(spans((40, 50), (0, 8)), torch.tensor([0.9, 0.5])),
        ),
        (truth(spans((0, 10)), [0]), Proposals(spans(), torch.zeros(0))),
        (truth(spans(), []), Proposals(spans((0, 10)), torch.tensor([0.5]))),
    ]
    found = box_recall(pairs, SEEN, ks=(1, 2))
    assert [found.count(group) for group in ("all", "base", "novel")] == [4, 2, 1]
    assert [found.recall(1, group) for group in ("all", "base", "novel")] == [1 / 4, 0, 0]
    assert [found.recall(2, group) for group in ("all", "base", "novel")] == [2 / 4, 1 / 2, 0]
    assert found.recall(2, "base", iou=0.85) == 0  # the base match has IoU 0.8


def test_only_the_k_best_scores_count_whatever_their_order():
    pairs = [
        (
            truth(spans((0, 10)), [0]),
            Proposals(spans((0, 10), (50, 60), (70, 80)), torch.tensor([0.1, 0.5, 0.9])),
        )
    ]
    found = box_recall(pairs, SEEN, ks=(2, 3))
    assert found.recall(2) == 0
    assert found.recall(3) == 1


@pytest.mark.parametrize(("right", "expected"), [(20, 1), (20.01, 0)])
def test_an_iou_of_exactly_one_half_counts(right, expected):
    assert (
        box_recall(
            [(truth(spans((0, 10)), [0]), Proposals(spans((0, right)), torch.ones(1)))], SEEN
        ).recall(50)
        == expected
    )


def test_a_box_serves_one_ground_truth():
    pairs = [(truth(spans((0, 10), (1, 11)), [0, 0]), Proposals(spans((0, 10)), torch.ones(1)))]
    assert box_recall(pairs, SEEN).recall(50) == 1 / 2


def test_average_recall_over_ten_ious():
    # IoU 0.8 passes 0.5, 0.55, ... 0.8: seven of ten thresholds; IoU 1 passes all.
    pairs = [
        (truth(spans((0, 10), (20, 30)), [0, 1]), Proposals(spans((0, 8), (20, 30)), torch.ones(2)))
    ]
    found = box_recall(pairs, SEEN)
    assert found.average_recall(100, "base") == pytest.approx(7 / 10)
    assert found.average_recall(100, "novel") == 1
    assert found.average_recall(100) == pytest.approx(17 / 20)


def test_crowd_boxes_are_left_out_and_nothing_is_nan():
    pairs = [
        (truth(spans((0, 10)), [0], crowd=torch.tensor([True])), Proposals(spans(), torch.zeros(0)))
    ]
    found = box_recall(pairs, SEEN)
    assert found.count() == 0
    assert math.isnan(found.recall(50))
    assert math.isnan(found.average_recall(50))
    assert math.isnan(box_recall([], SEEN).recall(50))


def test_bad_k_is_named():
    with pytest.raises(InputError, match="k of at least 1"):
        box_recall([], SEEN, ks=(0,))
    with pytest.raises(InputError, match="k of at least 1"):
        box_recall([], SEEN, ks=np.array([], dtype=int).tolist())

"""The federated losses by hand."""

import math
from types import SimpleNamespace

import pytest
import torch

from ovarnet.config import FederatedLoss
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN
from ovarnet.training.clip_attr.step_one_criterion import FederatedCriterion
from ovarnet.training.data.base_dataset import BaseBoxBatch


def bce(logit, target):
    return math.log1p(math.exp(-logit if target else logit))


def test_every_setting_of_the_loss_counts():
    data = SimpleNamespace(
        weights=lambda settings: (torch.tensor([2.0, 0.5]), torch.tensor([3.0, 0.25, 1.0]))
    )
    criterion = FederatedCriterion(data, FederatedLoss(unknown_weight=0.3))
    batch = BaseBoxBatch(
        torch.tensor([1]), torch.tensor([[POSITIVE, NEGATIVE, UNKNOWN]], dtype=torch.int8)
    )
    logits = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, 1.5, -1.0]])
    losses = criterion(*logits, batch)
    assert losses["categories"].item() == pytest.approx((2 * bce(1, 0) + 0.5 * bce(-2, 1)) / 2)
    assert losses["attributes"].item() == pytest.approx(
        (3 * bce(0.5, 1) + 0.25 * bce(1.5, 0)) / 2 + 0.3 * bce(-1, 0)
    )
    batch.sampled_categories = torch.tensor([False, True])
    sampled = criterion(*logits, batch)
    assert sampled["categories"].item() == pytest.approx(0.5 * bce(-2, 1))
    assert sampled["attributes"] == losses["attributes"]


def test_a_source_without_boxes_has_no_term():
    data = SimpleNamespace(weights=lambda settings: (torch.ones(2), torch.ones(3)))
    criterion = FederatedCriterion(data, FederatedLoss())
    none, one = torch.zeros(0, dtype=torch.int64), torch.tensor([1])
    attributes = torch.zeros(1, 3, dtype=torch.int8)
    only_boxes = criterion(torch.zeros(1, 2), torch.zeros(0, 3), BaseBoxBatch(one, attributes[:0]))
    assert set(only_boxes) == {"categories"}
    only_attributes = criterion(
        torch.zeros(0, 2), torch.zeros(1, 3), BaseBoxBatch(none, attributes)
    )
    assert set(only_attributes) == {"attributes"}

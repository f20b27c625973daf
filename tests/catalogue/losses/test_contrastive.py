"""InfoNCE by hand, and pairs of one group left out of the negatives."""

import math

import pytest
import torch

from ovarnet.catalogue.losses.contrastive import contrastive_loss

ONE = torch.tensor(1.0)


def test_two_pairs_by_hand():
    images, texts = torch.eye(2), torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    loss = contrastive_loss(images, texts, torch.eye(2, dtype=torch.bool), ONE)
    # logits [[1, .6], [0, .8]]
    by_photo = (math.log(1 + math.exp(-0.4)) + math.log(1 + math.exp(-0.8))) / 2
    by_text = (math.log(1 + math.exp(-1)) + math.log(1 + math.exp(-0.2))) / 2
    assert loss.item() == pytest.approx((by_photo + by_text) / 2)


def test_pairs_that_belong_together_are_no_negatives():
    vectors = torch.eye(3)
    same = torch.eye(3, dtype=torch.bool)
    same[0, 1] = same[1, 0] = True
    loss = contrastive_loss(vectors, vectors, same, ONE)
    two, three = (math.log(1 + n * math.exp(-1)) for n in (1, 2))
    assert loss.item() == pytest.approx((2 * two + three) / 3)
    everything = torch.ones(3, 3, dtype=torch.bool)
    assert contrastive_loss(vectors, vectors, everything, ONE).item() == 0

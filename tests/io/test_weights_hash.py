"""The name of a model's weights changes with the weights alone."""

import copy

import torch
from torch import nn

from ovarnet.io.weights_hash import weights_hash


def test_equal_weights_have_one_name_and_others_another():
    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    moved = copy.deepcopy(layer)
    assert weights_hash(layer) == weights_hash(moved)
    assert len(weights_hash(layer)) == 16
    with torch.no_grad():
        moved.bias[1] += 1e-7
    assert weights_hash(layer) != weights_hash(moved)


def test_names_order_and_shapes_count():
    one, two = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
    assert weights_hash(one, two) != weights_hash(two, one)
    flat, square = nn.Embedding(4, 1), nn.Embedding(2, 2)
    with torch.no_grad():
        flat.weight.zero_()
        square.weight.zero_()
    assert weights_hash(flat) != weights_hash(square)

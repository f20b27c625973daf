import math

import pytest
import torch
from torch import nn

from ovarnet.config import Optimisation
from ovarnet.training.engine.schedule import lr_factor, make_optimizer, parameter_groups


def test_warm_up_constant_cosine():
    settings = Optimisation(iterations=100, warmup=4, decay=0.5)
    assert [lr_factor(t, settings) for t in (0, 1, 3, 4, 50)] == [0.25, 0.5, 1.0, 1.0, 1.0]
    assert lr_factor(75, settings) == pytest.approx(0.5)
    assert lr_factor(99, settings) == pytest.approx(0.5 * (1 + math.cos(math.pi * 49 / 50)))
    assert lr_factor(100, settings) == pytest.approx(0.0)


def test_only_matrices_decay_and_frozen_parameters_are_left_out():
    module = nn.ModuleDict(
        {"a": nn.Linear(2, 3), "table": nn.Embedding(5, 2), "frozen": nn.Linear(2, 2)}
    )
    module["frozen"].requires_grad_(False)
    groups = parameter_groups(module, 0.1, 0.5, undecayed=[module["table"].weight])
    assert [[tuple(p.shape) for p in g["params"]] for g in groups] == [[(3, 2)], [(3,), (5, 2)]]
    assert [g["weight_decay"] for g in groups] == [0.5, 0.0]


def test_empty_groups_are_dropped():
    optimizer = make_optimizer(parameter_groups(nn.BatchNorm1d(3), 0.1, 0.5), Optimisation())
    assert len(optimizer.param_groups) == 1
    assert torch.is_tensor(optimizer.param_groups[0]["params"][0])

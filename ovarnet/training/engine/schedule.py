"""Optimiser and learning-rate schedule: AdamW, linear warm-up, constant rate, cosine decay."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from ovarnet.config import Optimisation


def parameter_groups(
    module: nn.Module, lr: float, weight_decay: float, undecayed: Iterable[Tensor] = ()
) -> list[dict[str, Any]]:
    """Two groups of the parameters that take a gradient: with and without weight decay.

    Args:
        module: Whose parameters are trained.
        lr: Learning rate of both groups.
        weight_decay: Of matrices; vectors and scalars (norms, biases, temperatures) have none.
        undecayed: Matrices that have none either.

    Returns:
        Groups for the optimiser; either may be empty.
    """
    excluded = {id(parameter) for parameter in undecayed}
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    decayed = [p for p in trained if p.ndim >= 2 and id(p) not in excluded]
    others = [p for p in trained if p.ndim < 2 or id(p) in excluded]
    return [
        {"params": decayed, "lr": lr, "weight_decay": weight_decay},
        {"params": others, "lr": lr, "weight_decay": 0.0},
    ]


def make_optimizer(groups: list[dict[str, Any]], settings: Optimisation) -> torch.optim.AdamW:
    """AdamW over the groups that hold a parameter."""
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        betas=(settings.betas[0], settings.betas[1]),
        fused=True,
    )


def make_scheduler(
    optimizer: torch.optim.Optimizer, settings: Optimisation
) -> torch.optim.lr_scheduler.LambdaLR:
    """Multiplies the rate of every group by `lr_factor`."""
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: lr_factor(step, settings))


def lr_factor(step: int, settings: Optimisation) -> float:
    """The learning rate at iteration `step` (from 0) as a share of the full one."""
    if step < settings.warmup:
        return (step + 1) / settings.warmup
    decay_from = settings.iterations * (1 - settings.decay)
    if step <= decay_from:
        return 1.0
    done = min(1.0, (step - decay_from) / (settings.iterations - decay_from))
    return 0.5 * (1 + math.cos(math.pi * done))

"""Optimiser and learning-rate schedule: AdamW, linear warm-up, constant, cosine decay over the last
part.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from ovarnet.config import Optimisation


def parameter_groups(
    module: nn.Module, lr: float, weight_decay: float, undecayed: Iterable[nn.Parameter] = ()
) -> list[dict]:
    """Two groups: matrices with weight decay, and without it vectors, scalars (norms, biases,
    temperatures) and `undecayed`.
    """
    free = {id(p) for p in undecayed}
    trained = [p for p in module.parameters() if p.requires_grad]
    return [
        {
            "params": [p for p in trained if p.ndim >= 2 and id(p) not in free],
            "lr": lr,
            "weight_decay": weight_decay,
        },
        {
            "params": [p for p in trained if p.ndim < 2 or id(p) in free],
            "lr": lr,
            "weight_decay": 0.0,
        },
    ]


def make_optimizer(groups: list[dict], settings: Optimisation) -> torch.optim.AdamW:
    return torch.optim.AdamW(
        [g for g in groups if g["params"]], betas=tuple(settings.betas), fused=True
    )


def make_scheduler(
    optimizer: torch.optim.Optimizer, settings: Optimisation
) -> torch.optim.lr_scheduler.LambdaLR:
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: lr_factor(step, settings))


def lr_factor(step: int, settings: Optimisation) -> float:
    """Share of the full learning rate at iteration `step` (0-based)."""
    if step < settings.warmup:
        return (step + 1) / settings.warmup
    decay_from = settings.iterations * (1 - settings.decay)
    if step <= decay_from:
        return 1.0
    return 0.5 * (
        1 + math.cos(math.pi * min(1.0, (step - decay_from) / (settings.iterations - decay_from)))
    )

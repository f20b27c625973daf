"""Matrices stored as whole numbers of 8 bits with one scale per row: a quarter of float32's size.

Every number is off by at most half a step, 1 / 254 of the largest number in its row.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

NUMBERS, SCALES = ".int8", ".scales"
"""Endings of the two tensors that stand for a matrix."""
LARGEST = 127


def quantise(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Replace the matrices whose names begin with `prefix`.

    Args:
        state: name -> tensor.
        prefix: of the names.

    Returns:
        A new state, in which a matrix NAME (rows, columns) is NAME.int8, int8 of the same shape,
        and NAME.scales, (rows, 1) float32; other tensors are as they were.
    """
    stored: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if not (name.startswith(prefix) and tensor.ndim == 2 and tensor.is_floating_point()):
            stored[name] = tensor
            continue
        scales = (tensor.float().abs().amax(dim=1, keepdim=True) / LARGEST).clamp(min=1e-12)
        stored[name + NUMBERS] = (tensor.float() / scales).round().to(torch.int8)
        stored[name + SCALES] = scales
    return stored


def restore(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What `quantise` replaced, as float32; other tensors are as they were."""
    state: dict[str, Tensor] = {}
    for name, tensor in stored.items():
        if name.endswith(NUMBERS):
            whole = name.removesuffix(NUMBERS)
            state[whole] = tensor.float() * stored[whole + SCALES]
        elif not (name.endswith(SCALES) and name.removesuffix(SCALES) + NUMBERS in stored):
            state[name] = tensor
    return state

"""A name for the weights of a model, kept beside what was computed with it."""

from __future__ import annotations

import hashlib

from torch import nn


def weights_hash(*modules: nn.Module) -> str:
    """Hash the states of modules.

    Args:
        *modules: Any number of modules, on any device.

    Returns:
        16 hexadecimal digits that depend on the names, types, shapes and values of all tensors in
        their states, and on nothing else.
    """
    digest = hashlib.sha256()
    for module in modules:
        for name, tensor in module.state_dict().items():
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]

"""The device that models run on, checked before anything is moved there."""

from __future__ import annotations

import torch

from ovarnet.errors import InputError


def pick_device(device: str | torch.device | None = "auto") -> torch.device:
    """Resolve the device to run on.

    Args:
        device: a device, its name, or "auto" or None for the GPU when there is one, else the CPU.

    Raises:
        InputError: this machine has no such device.
    """
    if device is None or str(device) == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.zeros(1, device=device).item()  # "meta" holds no numbers
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"device '{device}' cannot be used here: {str(error).splitlines()[0]}; try cpu or auto"
        ) from None
    return torch.device(device)

"""The optional packages of the extra `onnx`, imported where they are used."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import torch

from ovarnet.errors import InputError

EXPORTER_TORCH = "2.10"
"""The first release of PyTorch whose exporter writes these graphs."""


def require(*names: str) -> ModuleType:
    """Import packages of the extra.

    Args:
        names: of modules.

    Returns:
        The first of them.

    Raises:
        InputError: one is not installed.
    """
    try:
        modules = [import_module(name) for name in names]
    except ModuleNotFoundError as error:
        raise InputError(
            f'ONNX files need {error.name}, which is not installed: pip install "ovarnet[onnx]"'
        ) from None
    return modules[0]


def require_exporter() -> None:
    """Check that files can be written, which reading them does not need.

    Raises:
        InputError: a package of the extra is not installed, or PyTorch is too old.
    """
    require("onnxruntime", "onnx", "onnxscript")
    if torch.__version__ < EXPORTER_TORCH:
        raise InputError(
            f"exporting needs torch {EXPORTER_TORCH} or later, and {torch.__version__} is "
            "installed: pip install --upgrade torch torchvision"
        )

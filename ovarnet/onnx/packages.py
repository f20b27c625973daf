"""The optional packages of the extra `onnx`, imported where they are used."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from ovarnet.errors import InputError


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

"""Files of what a frozen part of a model gave, kept so that it is computed once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ovarnet.errors import InputError
from ovarnet.io.files import whole_file


def keep_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors to a file, whole or not at all.

    Args:
        path: Of the file; its folder is made.
        tensors: On the CPU.
    """
    with whole_file(path) as unfinished:
        save_file(dict(tensors), unfinished)


def read_kept_tensors(path: Path) -> dict[str, Tensor]:
    """Read what `keep_tensors` wrote.

    Raises:
        InputError: The file is damaged.
    """
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is damaged ({error}); delete it, it is computed again") from None

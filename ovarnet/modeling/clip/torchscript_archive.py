"""The weights inside a TorchScript archive, such as OpenAI's own ViT-B-16.pt.

They are read without running anything that the archive holds: `torch.load(weights_only=True)`
refuses these files and `torch.jit.load` prepares their code for running. We only want the tensors,
so the archive's object tree is unpickled with inert stand-ins for its classes and every other name
is refused.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

STORAGES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
DERIVED = "attn_mask"
"""A constant that every model builds itself; traced modules may carry it."""


def is_torchscript(file: Path) -> bool:
    """Whether `file` is a whole zip archive with TorchScript's constants table."""
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def read_torchscript(file: Path) -> dict[str, Tensor]:
    """Read parameters and buffers by dotted name, as ``torch.jit.load(file).state_dict()`` would.

    Raises:
        pickle.UnpicklingError: the archive holds anything else; also KeyError, RuntimeError or
            zipfile.BadZipFile where it is damaged.
    """
    with zipfile.ZipFile(file) as archive:
        record = next(name for name in archive.namelist() if name.endswith("/constants.pkl"))
        root = record.removesuffix("/constants.pkl")
        tree = _Unpickler(archive, root).load()
    return dict(_tensors(tree, ""))


class _Module:
    """Stands for any class of the archive: keeps its attributes, has no behaviour."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.attributes = state


class _Unpickler(pickle.Unpickler):
    def __init__(self, archive: zipfile.ZipFile, root: str):
        super().__init__(io.BytesIO(archive.read(f"{root}/data.pkl")))
        self.archive, self.root = archive, root

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a class; refuses whatever weights do not need."""
        if module.startswith("__torch__"):
            return _Module
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch.jit._pickle":  # typed lists: the value is the first argument
            return lambda value, *_: value
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")

    def persistent_load(self, saved: Any) -> Tensor:
        """A storage of the archive as a flat tensor."""
        _, dtype, key, _, _ = saved
        return torch.frombuffer(
            bytearray(self.archive.read(f"{self.root}/data/{key}")), dtype=dtype
        )


def _rebuild_tensor(
    storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_
) -> Tensor:
    return storage.as_strided(size, stride, offset).clone()


def _tensors(module: _Module, prefix: str) -> Iterator[tuple[str, Tensor]]:
    for name, value in module.attributes.items():
        if isinstance(value, Tensor) and name != DERIVED:
            yield prefix + name, value
        elif isinstance(value, _Module):
            yield from _tensors(value, f"{prefix}{name}.")

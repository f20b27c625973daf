"""Batches as dataclasses that move between devices as a whole."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

SomeBatch = TypeVar("SomeBatch", bound="TensorBatch")


@dataclass
class TensorBatch:
    """Base of a dataclass that the data loader returns."""

    def to(self: SomeBatch, device: torch.device | str, non_blocking: bool = False) -> SomeBatch:
        """Move every tensor, also those in lists and in nested batches.

        accelerate calls this for whatever has it.

        Returns:
            A new object of the same class; fields that hold no tensor are the same objects.
        """
        return replace(
            self,
            **{
                field.name: _move(getattr(self, field.name), device, non_blocking)
                for field in fields(self)
            },
        )


def _move(value: Any, device: torch.device | str, non_blocking: bool) -> Any:
    if isinstance(value, (Tensor, TensorBatch)):
        return value.to(device, non_blocking=non_blocking)
    if isinstance(value, list):
        return [_move(item, device, non_blocking) for item in value]
    return value

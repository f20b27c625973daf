"""Batches move to a device with all that is in them."""

from dataclasses import dataclass

import torch
from accelerate.utils import send_to_device
from torch import Tensor

from ovarnet.training.data.batch import TensorBatch


@dataclass
class Inner(TensorBatch):
    labels: Tensor


@dataclass
class Outer(TensorBatch):
    images: list[Tensor]
    texts: list[str]
    inner: list[Inner]
    nested: Inner | None
    is_whole: bool = True


def test_tensors_in_fields_lists_and_batches_move_and_the_rest_stays():
    batch = Outer([torch.zeros(3)], ["a mug"], [Inner(torch.ones(2))], None)
    moved = send_to_device(batch, "meta")
    assert isinstance(moved, Outer)
    assert [image.device.type for image in moved.images] == ["meta"]
    assert moved.inner[0].labels.device.type == "meta"
    assert moved.texts == ["a mug"]
    assert moved.nested is None
    assert moved.is_whole
    assert batch.inner[0].labels.device.type == "cpu", "the original is left as it is"

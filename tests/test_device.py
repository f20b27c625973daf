"""Devices by name."""

import pytest
import torch

from ovarnet.device import pick_device
from ovarnet.errors import InputError


@pytest.mark.parametrize("device", ["auto", None])
def test_auto_is_the_gpu_where_there_is_one(device, monkeypatch):
    for available, kind in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda available=available: available)
        assert pick_device(device) == torch.device(kind)


def test_a_device_or_its_name():
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device(torch.device("cpu")) == torch.device("cpu")


@pytest.mark.parametrize("device", ["warp", "meta", "cpu:x"])
def test_a_device_that_cannot_be_used(device):
    with pytest.raises(InputError, match=f"device '{device}' cannot be used here: .*; try cpu or"):
        pick_device(device)

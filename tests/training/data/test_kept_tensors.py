"""Kept tensors: what is written is read, and a damaged file is named."""

import pytest
import torch

from ovarnet.errors import InputError
from ovarnet.training.data.kept_tensors import keep_tensors, read_kept_tensors


def test_what_is_kept_is_read(tmp_path):
    tensors = {"cells": torch.arange(6.0).reshape(2, 3).half(), "counts": torch.tensor([1, 2])}
    keep_tensors(tmp_path / "new" / "kept.safetensors", tensors)
    read = read_kept_tensors(tmp_path / "new" / "kept.safetensors")
    assert read.keys() == tensors.keys()
    assert all(torch.equal(read[name], tensors[name]) for name in tensors)
    assert read["cells"].dtype == torch.float16


def test_a_damaged_file_is_named(tmp_path):
    file = tmp_path / "kept.safetensors"
    keep_tensors(file, {"cells": torch.ones(3)})
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"kept\.safetensors is damaged .*; delete it, it is comp"):
        read_kept_tensors(file)

"""Optional packages."""

import json

import pytest
import torch
from torch.torch_version import TorchVersion

from ovarnet.errors import InputError
from ovarnet.onnx.packages import require, require_exporter


def test_the_first_package_is_returned():
    assert require("json", "math") is json


def test_a_missing_package_is_one_line_with_the_pip_command():
    with pytest.raises(InputError) as error:
        require("json", "no_such_package")
    assert str(error.value) == (
        'ONNX files need no_such_package, which is not installed: pip install "ovarnet[onnx]"'
    )


def test_a_torch_whose_exporter_is_too_old_is_one_line_with_the_pip_command(monkeypatch):
    monkeypatch.setattr(torch, "__version__", TorchVersion("2.9.1"))
    with pytest.raises(InputError) as error:
        require_exporter()
    assert str(error.value) == (
        "exporting needs torch 2.10 or later, and 2.9.1 is installed: "
        "pip install --upgrade torch torchvision"
    )
    monkeypatch.setattr(torch, "__version__", TorchVersion("2.10.0"))
    require_exporter()

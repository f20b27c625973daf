"""Optional packages."""

import json

import pytest

from ovarnet.errors import InputError
from ovarnet.onnx.packages import require


def test_the_first_package_is_returned():
    assert require("json", "math") is json


def test_a_missing_package_is_one_line_with_the_pip_command():
    with pytest.raises(InputError) as error:
        require("json", "no_such_package")
    assert str(error.value) == (
        'ONNX files need no_such_package, which is not installed: pip install "ovarnet[onnx]"'
    )

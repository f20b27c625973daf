"""ONNX files opened with ONNX Runtime."""

import numpy as np
import pytest
import torch
from onnx_graphs import matrix_product

from ovarnet.errors import InputError
from ovarnet.onnx.session import Session, providers
from ovarnet.onnx.settings import GraphSettings
from ovarnet.vocabulary import Vocabulary

CPU = torch.device("cpu")
SETTINGS = GraphSettings(
    model="ovarnet",
    clip="none",
    embed_dim=2,
    calibration={},
    logit_scale=1.0,
    prompts={},
    threshold=0.5,
    vocabulary=Vocabulary(),
    image={},
)


def test_a_graph_runs_and_says_what_it_is(tmp_path):
    weight = np.array([[1.0, 2], [3, 4]])
    session = Session(matrix_product(tmp_path / "a.onnx", weight, SETTINGS), CPU)
    assert session.settings.threshold == 0.5
    # a transposed tensor, whose memory is not in order
    x = torch.tensor([[1.0, 0], [1, 1]]).T
    assert session(["y"], {"x": x})[0].tolist() == [[4, 6], [3, 4]]


def test_missing_damaged_and_foreign_files(tmp_path):
    with pytest.raises(InputError, match=r"missing\.onnx: no such file; check the path$"):
        Session(tmp_path / "missing.onnx", CPU)
    whole = matrix_product(tmp_path / "foreign.onnx", np.eye(300)).read_bytes()
    with pytest.raises(InputError, match="was not written by ovarnet export"):
        Session(tmp_path / "foreign.onnx", CPU)
    for name, content in (("cut.onnx", whole[:-50]), ("text.onnx", b"hello"), ("no.onnx", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match="is damaged or no ONNX file") as error:
            Session(tmp_path / name, CPU)
        assert "\n" not in str(error.value)


def test_a_gpu_is_used_where_it_is_wanted_and_available():
    both = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
    assert providers(torch.device("cuda"), both) == both[1:]
    assert providers(torch.device("cuda"), both[2:]) == both[2:]
    assert providers(CPU, both) == both[2:]

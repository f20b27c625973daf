"""Dynamic quantisation."""

import numpy as np
import torch
from onnx_graphs import matrix_product

from ovarnet.onnx.int8 import quantise
from ovarnet.onnx.session import Session
from ovarnet.onnx.settings import GraphSettings
from ovarnet.vocabulary import Vocabulary


def test_a_matrix_takes_a_quarter_and_gives_nearly_the_same(tmp_path):
    settings = GraphSettings("ovarnet", "none", 2, {}, 1.0, {}, 0.25, Vocabulary(), {})
    random = np.random.default_rng(0)
    weight = random.normal(size=(256, 128))
    path = matrix_product(tmp_path / "a.onnx", weight, settings)
    size = path.stat().st_size
    assert quantise(path, path) == path
    assert path.stat().st_size < 0.3 * size
    assert [file.name for file in tmp_path.iterdir()] == ["a.onnx"]

    session = Session(path, torch.device("cpu"))
    assert session.settings.threshold == 0.25  # the metadata stay
    x = random.normal(size=(5, 256)).astype(np.float32)
    (found,) = session(["y"], {"x": torch.from_numpy(x)})
    expected = x @ weight
    error = np.abs(found.numpy() - expected).mean() / np.abs(expected).mean()
    assert 0 < error < 0.03

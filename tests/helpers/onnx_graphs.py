"""Small ONNX files written operator by operator, with the metadata of an export."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ovarnet.onnx.settings import KEY, GraphSettings


def matrix_product(path: Path, weight: np.ndarray, settings: GraphSettings | None = None) -> Path:
    """x (N, I) -> y (N, O) = x @ weight."""
    rows, columns = weight.shape
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", rows])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", columns])],
        [numpy_helper.from_array(weight.astype(np.float32), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    if settings is not None:
        helper.set_model_props(model, {KEY: settings.to_json()})
    onnx.save(model, path)
    return path

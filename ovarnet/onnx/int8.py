"""Dynamic 8-bit quantisation of exported models by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

from ovarnet.io.files import whole_file
from ovarnet.onnx.packages import require

QUANTISED = ("MatMul", "Gemm", "Gather")
"""Convolutions stay as they are; 8 bits in them were not tried."""


def quantise(path: str | Path, target: str | Path) -> Path:
    """Store the weights of matrix products and tables in 8 bits.

    Activations are quantised while the graph runs, so no example images are needed.

    Args:
        path: an ONNX file that `ovarnet export` wrote.
        target: the file to write; it may be `path`.

    Raises:
        InputError: onnxruntime or onnx is not installed.
    """
    quantization = require("onnxruntime.quantization", "onnx")
    with whole_file(target) as unfinished:
        quantization.quantize_dynamic(
            path,
            unfinished,
            op_types_to_quantize=list(QUANTISED),
            per_channel=True,
            # the sums of 8-bit products can overflow on processors without VNNI
            reduce_range=True,
        )
    return Path(target)

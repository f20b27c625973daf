"""Our operators in ONNX, for PyTorch's exporter; imports onnxscript."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from onnxscript import opset18

import ovarnet.onnx.box_rows  # noqa: F401 (registers the operator)

op: Any = opset18  # its types are those of values, and here are names of values
NO_LIMIT = 2**31
BOOL = 9
"""Number of the type in ONNX."""
HALF_WAY = -0.5
"""Scores above it are real ones, those below it `UNUSED`."""


def kept_by_nms(boxes: Any, scores: Any, iou: float) -> Any:
    """`ovarnet.onnx.box_rows.kept_by_nms` as NonMaxSuppression."""
    # (kept, 3): image, class and box of each box that is kept; there is one class
    found = op.NonMaxSuppression(
        boxes,
        op.Unsqueeze(scores, op.Constant(value_ints=[1])),
        op.Constant(value_ints=[NO_LIMIT]),
        op.Constant(value_floats=[iou]),
        op.Constant(value_floats=[HALF_WAY]),
    )
    rows = op.Gather(found, op.Constant(value_ints=[0, 2]), axis=1)

    # marks in a table (N, M) of zeros
    nothing = op.Expand(op.Constant(value_ints=[0]), op.Shape(scores))
    count = op.Shape(rows, start=0, end=1)
    marks = op.ScatterND(nothing, rows, op.Expand(op.Constant(value_ints=[1]), count))
    return op.Cast(marks, to=BOOL)


TRANSLATIONS: dict[Callable, Callable] = {torch.ops.ovarnet.kept_by_nms.default: kept_by_nms}
"""Operator -> function of onnxscript values, for `torch.onnx.export`."""

"""ONNX files opened with ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ovarnet.errors import InputError
from ovarnet.onnx.packages import require
from ovarnet.onnx.settings import GraphSettings, read_settings

ERRORS_ONLY = 3


class Session:
    """One graph, and what its file says about itself.

    Args:
        path: of a file that `ovarnet export` wrote.
        device: where it runs, if the installed ONNX Runtime can; else on the CPU.

    Attributes:
        settings: of the file.

    Raises:
        InputError: ONNX Runtime is not installed, or the file is missing, damaged or foreign.
    """

    settings: GraphSettings

    def __init__(self, path: str | Path, device: torch.device):
        runtime = require("onnxruntime")
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"{path}: no such file; check the path")
        options = runtime.SessionOptions()
        options.log_severity_level = ERRORS_ONLY
        options.intra_op_num_threads = torch.get_num_threads()
        try:
            self._session = runtime.InferenceSession(
                str(path), options, providers=providers(device, runtime.get_available_providers())
            )
        except Exception as error:  # ONNX Runtime's own classes have no common base
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(
                f"{path} is damaged or no ONNX file ({reason:.200}); export the model again"
            ) from None
        self.settings = read_settings(self._session.get_modelmeta().custom_metadata_map, path)

    def __call__(self, outputs: Sequence[str], inputs: Mapping[str, Tensor]) -> list[Tensor]:
        """Run the graph.

        Args:
            outputs: names of those that are returned.
            inputs: by name, on the CPU.
        """
        arrays = {name: np.ascontiguousarray(value.numpy()) for name, value in inputs.items()}
        return [torch.from_numpy(array) for array in self._session.run(list(outputs), arrays)]


def providers(device: torch.device, available: Sequence[str]) -> list[str]:
    """ONNX Runtime's names of what may run a graph, best first."""
    wanted = ["CUDAExecutionProvider"] if device.type == "cuda" else []
    return [name for name in [*wanted, "CPUExecutionProvider"] if name in available]

"""The mark of tests that PyTorch's exporter and compiler must be new enough for."""

import pytest
import torch

from ovarnet.onnx.packages import EXPORTER_TORCH

needs_exporter = pytest.mark.skipif(
    torch.__version__ < EXPORTER_TORCH, reason=f"needs torch {EXPORTER_TORCH} or later"
)

"""What a model must be before a pass, and its embeddings after it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ovarnet.errors import InputError


def check_ready(model: nn.Module) -> None:
    """Check that a model can be used for inference.

    Raises:
        RuntimeError: it is in training mode.
        InputError: its weights are not float32.
    """
    if model.training:
        raise RuntimeError("a Predictor needs a model in evaluation mode; call .eval() first")
    dtype = next(model.parameters()).dtype
    if dtype != torch.float32:
        raise InputError(
            f"the model's weights are {dtype}, and a Predictor keeps them in float32; for a "
            "pass in lower precision use predictor.half() or predictor.bfloat16()"
        )


def check_finite(embeddings: Tensor, name: str | None, dtype: torch.dtype) -> None:
    """Check what a pass returned.

    Args:
        embeddings: of any shape.
        name: of the image, for the message.
        dtype: in which the pass ran.

    Raises:
        InputError: a number is infinite or NaN.
    """
    if embeddings.isfinite().all():
        return
    raise InputError(
        f"{name or 'image'}: the model's embeddings are not finite; "
        + (
            "float16 may be too narrow for it, use bfloat16 or float32"
            if dtype == torch.float16
            else "its weights are damaged, copy or train the model again"
        )
    )

"""TensorFlow's "same" padding with constants, which graphs of any image size need.

timm's `Conv2dSame` computes its padding from the sides of its input. With sides that are symbols
`torch.export` builds an expression of expressions, layer after layer, and does not end.
"""

from __future__ import annotations

import torch.nn.functional as F
from timm.layers.conv2d_same import Conv2dSame
from torch import Tensor, nn


class DividingConv(nn.Module):
    """As `Conv2dSame` for inputs whose sides the stride divides: the padding is then a constant.

    Args:
        conv: it is used, not copied.
    """

    def __init__(self, conv: Conv2dSame):
        super().__init__()
        self.conv = conv
        (above, below), (left, right) = (
            _split(dilation * (kernel - 1) + 1 - stride)
            for kernel, stride, dilation in zip(
                conv.kernel_size, conv.stride, conv.dilation, strict=True
            )
        )
        self.padding = (left, right, above, below)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H / stride, W / stride)."""
        conv = self.conv
        x = F.pad(x, self.padding)
        return F.conv2d(x, conv.weight, conv.bias, conv.stride, 0, conv.dilation, conv.groups)


def with_constant_padding(trunk: nn.Module) -> None:
    """Replace every `Conv2dSame`, in place.

    Args:
        trunk: the stride of each of its convolutions divides the input of that convolution. So it
            is in a trunk of strides 2 to 32 on images whose sides are multiples of 32; not in the
            same stages on 7 x 7 cells of a region.
    """
    for name, module in list(trunk.named_modules()):
        if isinstance(module, Conv2dSame):
            trunk.set_submodule(name, DividingConv(module))


def _split(padding: int) -> tuple[int, int]:
    """Before and after; an odd pixel goes after."""
    padding = max(padding, 0)
    return padding // 2, padding - padding // 2

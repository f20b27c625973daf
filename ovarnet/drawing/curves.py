"""Training curves as a PNG file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from ovarnet.io.files import whole_file


def curves(history: Mapping[str, Sequence[tuple[int, float]]], path: str | Path) -> None:
    """Draw one small plot per name, over the training steps, and write them as one PNG.

    Args:
        history: {name: (step, value) pairs}; both may be empty.
        path: of the PNG. Missing folders are made.
    """
    from matplotlib.figure import Figure

    columns = min(3, max(1, len(history)))
    rows = max(1, math.ceil(len(history) / columns))
    figure = Figure(figsize=(4 * columns, 2.6 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for axis, (name, points) in zip(axes, history.items(), strict=False):
        if points:
            axis.plot(*zip(*points, strict=True), linewidth=1)
        axis.set_title(name, fontsize=9)
        axis.set_xlabel("step", fontsize=8)
        axis.tick_params(labelsize=8)
        axis.grid(alpha=0.3)
    for axis in axes[len(history) :]:
        axis.set_axis_off()
    with whole_file(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=110)

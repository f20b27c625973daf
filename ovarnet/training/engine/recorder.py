"""Progress bar, TensorBoard curves, a history file and a figure of the curves."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from tqdm import tqdm

from ovarnet.io.files import write_json

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

HISTORY, TENSORBOARD = "history.json", "tensorboard"
MOST_APART = 20
"""Iterations between two points of a curve."""
FEWEST_POINTS = 20
"""Points of a curve, where a run has as many iterations."""


class Recorder:
    """Logs the scalars of a run; a context manager, which writes history and figure at its end.

    Args:
        folder: Of the run.
        iterations: Of the whole run.
        start: Iterations that are done; the history up to there is kept.
        active: False in all processes but the main one: nothing is shown or written.
        send: Called with the values of each point of the curves and its iteration; None: nothing.
    """

    def __init__(
        self,
        folder: Path,
        iterations: int,
        *,
        start: int = 0,
        active: bool = True,
        send: Callable[[dict[str, float], int], None] | None = None,
    ):
        self.folder, self.active, self.send = Path(folder), active, send
        self.every = max(1, min(MOST_APART, iterations // FEWEST_POINTS))
        self.history: dict[str, list[tuple[int, float]]] = (
            _read_history(self.folder / HISTORY, start) if start else {}
        )
        self.bar = tqdm(
            total=iterations, initial=start, unit="it", disable=not active, mininterval=2.0
        )
        self.writer = _open_tensorboard(self.folder / TENSORBOARD, start) if active else None

    def log(self, step: int, scalars: Mapping[str, Tensor | float]) -> None:
        """Count an iteration; record its scalars when a point of the curves is due.

        Args:
            step: Iterations that are done.
            scalars: By name; tensors of one element are read only where they are recorded.
        """
        self.bar.update(1)
        if not self.active or (step % self.every and step != self.bar.total):
            return
        values = {name: torch.as_tensor(value).item() for name, value in scalars.items()}
        self.add(step, values)
        self.bar.set_postfix_str(" ".join(f"{k} {v:.3g}" for k, v in values.items()), refresh=False)

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Record scalars as points of their curves.

        Args:
            step: Iterations that are done.
            values: By name.
        """
        if not self.active:
            return
        for name, value in values.items():
            self.history.setdefault(name, []).append((step, value))
            if self.writer:
                self.writer.add_scalar(name, value, step)
        if self.send is not None:
            self.send(dict(values), step)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.bar.close()
        if not self.active:
            return
        if self.writer:
            self.writer.close()
        write_json(self.folder / HISTORY, self.history)
        if self.history:
            from ovarnet.drawing.curves import curves

            curves(self.history, self.folder / "curves.png")


def _open_tensorboard(folder: Path, start: int) -> SummaryWriter | None:
    """TensorBoard's writer; None, and one line, where tensorboard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        print(
            "note: no TensorBoard curves are written; for them: pip install 'ovarnet[train]'",
            file=sys.stderr,
        )
        return None
    return SummaryWriter(str(folder), purge_step=start)


def _read_history(path: Path, start: int) -> dict[str, list[tuple[int, float]]]:
    if not path.is_file():
        return {}
    return {
        name: [(step, value) for step, value in points if step <= start]
        for name, points in json.loads(path.read_text()).items()
    }

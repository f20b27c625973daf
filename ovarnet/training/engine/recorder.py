"""Progress with time left, TensorBoard curves, a history file and a saved figure of the curves."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from tqdm import tqdm

from ovarnet.io.files import write_json


class Recorder:
    """Logs scalars of one run under `folder`; use as a context manager. Only the main process
    writes (`active`).
    """

    def __init__(self, folder: Path, iterations: int, *, start: int = 0, active: bool = True):
        self.folder, self.active = Path(folder), active
        self.every = max(
            1, min(20, iterations // 20)
        )  # a curve has 20 points at least, where there are as many iterations
        self.history: dict[str, list[tuple[int, float]]] = (
            _read_history(self.folder / "history.json", start) if start else {}
        )
        self.bar = tqdm(
            total=iterations, initial=start, unit="it", disable=not active, mininterval=2.0
        )
        self.writer = _open_tensorboard(self.folder / "tensorboard", start) if active else None

    def log(self, step: int, scalars: dict, **more: float) -> None:
        """Record named scalars (tensors or numbers): every 20 iterations, more often in a run of
        less than 400, and after the last.
        """
        self.bar.update(1)
        if not self.active or (step % self.every and step != self.bar.total):
            return
        values = {
            name: torch.as_tensor(value).item() for name, value in {**scalars, **more}.items()
        }
        for name, value in values.items():
            self.history.setdefault(name, []).append((step, value))
            if self.writer:
                self.writer.add_scalar(name, value, step)
        self.bar.set_postfix_str(" ".join(f"{k} {v:.3g}" for k, v in values.items()), refresh=False)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *exception) -> None:
        self.bar.close()
        if self.active:
            if self.writer:
                self.writer.close()
            write_json(self.folder / "history.json", self.history)
            if self.history:
                from ovarnet.drawing.curves import curves

                curves(self.history, self.folder / "curves.png")


def _open_tensorboard(folder: Path, start: int):
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


def _read_history(path: Path, start: int) -> dict:
    if not path.is_file():
        return {}
    return {
        name: [(s, v) for s, v in points if s <= start]
        for name, points in json.loads(path.read_text()).items()
    }

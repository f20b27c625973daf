"""The weights of a run with the lowest loss on held-out batches, and when to stop looking."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import reduce, send_to_device
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from ovarnet.checkpoint import load_weights
from ovarnet.config import ValidationSchedule
from ovarnet.io.files import whole_file

FILE = "best.safetensors"


class BestWeights:
    """Measures a model now and then, and stores its weights where they are the best so far.

    Args:
        batches: Called for each measurement; gives the same batches each time.
        settings: How often, and how long without success.
        folder: Of the run; the weights are stored in it.
        is_main: Whether this process writes the file.

    Attributes:
        loss: The lowest so far.
        step: The iteration that it was measured at.
    """

    def __init__(
        self,
        batches: Callable[[], Iterable[Any]],
        settings: ValidationSchedule,
        folder: Path,
        *,
        is_main: bool = True,
    ):
        self.batches, self.settings, self.is_main = batches, settings, is_main
        self.path = Path(folder) / FILE
        self.loss, self.step, self._measured = math.inf, 0, 0

    def resume(self, step: int) -> None:
        """Take over what an unfinished run had found up to iteration `step`.

        Weights of a later iteration are forgotten: the resumed run measures there again.
        """
        if not self.path.is_file():
            return
        with safe_open(self.path, "pt") as file:
            stored = file.metadata()
        if int(stored["step"]) <= step:
            self.loss, self.step = float(stored["loss"]), int(stored["step"])
            self._measured = step

    def is_due(self, step: int, iterations: int) -> bool:
        """Whether iteration `step` of `iterations` is measured."""
        return step % self.settings.every == 0 or step == iterations

    @torch.no_grad()
    def measure(self, model: nn.Module, step: int, device: torch.device) -> float:
        """Measure the model after iteration `step`.

        Args:
            model: Called with one batch, returns named losses; it is left in training mode.
            step: Iterations that are done.
            device: Of the model.

        Returns:
            The mean over the batches, and over processes that measure parts of them, of the sum of
            the losses; the same in every process.
        """
        model.eval()
        # what a model samples, such as anchors, is the same each time; training seeds every step
        torch.manual_seed(0)
        totals = [
            torch.stack(list(model(send_to_device(batch, device)).values())).sum()
            for batch in self.batches()
        ]
        model.train()
        # all processes must agree when to stop
        loss = float(reduce(torch.stack(totals).mean(), "mean"))
        self._measured = step
        if loss < self.loss:
            self.loss, self.step = loss, step
            if self.is_main:
                self._save(model)
        return loss

    @property
    def is_over(self) -> bool:
        """Whether training has gone on for too long without a lower loss."""
        patience = self.settings.patience * self.settings.every
        return patience > 0 and self._measured - self.step >= patience

    def restore(self, model: nn.Module) -> None:
        """Give the model the best weights; where no loss was finite, it keeps its own."""
        if self.step:
            load_weights(model, load_file(self.path), self.path)

    def _save(self, model: nn.Module) -> None:
        weights = {
            key: value.detach().cpu().contiguous().clone()
            for key, value in model.state_dict().items()
        }
        with whole_file(self.path) as unfinished:
            metadata = {"step": str(self.step), "loss": repr(self.loss)}
            save_file(weights, unfinished, metadata=metadata)

"""What a run needs to go on after a break: iteration, weights, running average, optimiser moments.
Stored without pickle.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ovarnet.checkpoint import load_weights
from ovarnet.errors import InputError
from ovarnet.io.files import whole_file


class TrainingState:
    """Iteration counter, optimiser, schedule and running average of one run; saved to and resumed
    from `folder`/state.safetensors.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        scheduler,
        folder: Path,
        ema: float = 0.0,
    ):
        self.step, self.optimizer, self.scheduler, self.path = (
            0,
            optimizer,
            scheduler,
            Path(folder) / "state.safetensors",
        )
        self.average = (
            AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(ema), use_buffers=True)
            if ema
            else None
        )

    def advance(self, model: nn.Module) -> None:
        """Count one finished iteration."""
        self.step += 1
        if self.average is not None:
            self.average.update_parameters(model)

    def best_model(self, model: nn.Module) -> nn.Module:
        """The model to keep: the running average where there is one."""
        return model if self.average is None else self.average.module

    def save(self, model: nn.Module) -> None:
        tensors = {f"model.{key}": value for key, value in model.state_dict().items()}
        if self.average is not None:
            tensors |= {f"average.{key}": value for key, value in self.average.state_dict().items()}
        optimizer = self.optimizer.state_dict()
        for index, moments in optimizer["state"].items():
            tensors |= {
                f"optimizer.{index}.{key}": torch.as_tensor(value) for key, value in moments.items()
            }
        stored = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
        with whole_file(self.path) as unfinished:
            save_file(stored, unfinished, metadata={"step": str(self.step)})

    def resume(self, model: nn.Module) -> None:
        """Continue from the saved file. Raises InputError when there is none or it does not fit."""
        tensors, step = _read(self.path)
        load_weights(model, _under(tensors, "model."), self.path)
        if self.average is not None:
            load_weights(self.average, _under(tensors, "average."), self.path)
        saved = self.optimizer.state_dict()
        moments: dict[int, dict] = {}
        for key, value in _under(tensors, "optimizer.").items():
            index, name = key.split(".", 1)
            moments.setdefault(int(index), {})[name] = value
        self.optimizer.load_state_dict({"state": moments, "param_groups": saved["param_groups"]})
        self._lay_out_moments()
        self.step = step
        self.scheduler.last_epoch = step
        for group, base, factor in zip(
            self.optimizer.param_groups,
            self.scheduler.base_lrs,
            self.scheduler.lr_lambdas,
            strict=True,
        ):
            group["lr"] = base * factor(step)

    def _lay_out_moments(self) -> None:
        """Give moments the memory layout of their parameter, as they have without a break: the last
        bit of a sum depends on it.
        """
        for parameter, moments in self.optimizer.state.items():
            for name, value in moments.items():
                if value.shape == parameter.shape:
                    moments[name] = torch.empty_like(parameter, requires_grad=False).copy_(value)


def _read(path: Path) -> tuple[dict, int]:
    if not path.is_file():
        raise InputError(f"nothing to resume: {path} does not exist; start without --resume")
    try:
        with safe_open(path, "pt") as file:
            step = int(file.metadata()["step"])
        return load_file(path), step
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is damaged ({error}); delete it and start without --resume"
        ) from None


def _under(tensors: dict, prefix: str) -> dict:
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}

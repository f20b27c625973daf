"""What a run needs to continue after a break: iteration, weights, their average, moments.

Stored as safetensors, without pickle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ovarnet.checkpoint import load_weights
from ovarnet.errors import InputError
from ovarnet.io.files import whole_file

FILE = "state.safetensors"
Model = TypeVar("Model", bound=nn.Module)


class TrainingState:
    """Iteration counter, optimiser, schedule and running average of one run.

    Args:
        model: What is trained.
        optimizer: Over its parameters.
        scheduler: Of the learning rate.
        folder: Of the run; the state is saved in it.
        ema: Decay of the running average of the weights; 0: no average.
        settings: Of the run, saved with it.

    Attributes:
        saved_settings: Of the run that was resumed; None where its file tells none.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        scheduler: torch.optim.lr_scheduler.LambdaLR,
        folder: Path,
        ema: float = 0.0,
        settings: Mapping[str, Any] | None = None,
    ):
        self.settings = dict(settings or {})
        self.saved_settings: dict[str, Any] | None = None
        self.step, self.optimizer, self.scheduler = 0, optimizer, scheduler
        self.path = Path(folder) / FILE
        self.average = (
            AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(ema), use_buffers=True)
            if ema
            else None
        )

    def advance(self, model: nn.Module) -> None:
        """Count a finished iteration and average its weights."""
        self.step += 1
        if self.average is not None:
            self.average.update_parameters(model)

    def best_model(self, model: Model) -> Model:
        """The model to keep: the running average where there is one."""
        return model if self.average is None else cast(Model, self.average.module)

    def save(self, model: nn.Module) -> None:
        """Write the file of the state, replacing an older one."""
        tensors = {f"model.{key}": value for key, value in model.state_dict().items()}
        if self.average is not None:
            tensors |= {f"average.{key}": value for key, value in self.average.state_dict().items()}
        for index, moments in self.optimizer.state_dict()["state"].items():
            for key, value in moments.items():
                tensors[f"optimizer.{index}.{key}"] = torch.as_tensor(value)
        stored = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
        with whole_file(self.path) as unfinished:
            metadata = {"step": str(self.step), "settings": json.dumps(self.settings)}
            save_file(stored, unfinished, metadata=metadata)

    def resume(self, model: nn.Module) -> None:
        """Continue from the saved file.

        Args:
            model: Gets the saved weights.

        Raises:
            InputError: There is no file, it is damaged, or it is of another model.
        """
        tensors, self.step, self.saved_settings = _read(self.path)
        load_weights(model, _without_prefix(tensors, "model."), self.path)
        if self.average is not None:
            load_weights(self.average, _without_prefix(tensors, "average."), self.path)
        self._load_moments(_without_prefix(tensors, "optimizer."))
        self._set_learning_rates()

    def _load_moments(self, tensors: Mapping[str, Tensor]) -> None:
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            index, name = key.split(".", 1)
            moments.setdefault(int(index), {})[name] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})

        # laid out in memory as the parameter, for the last bit of a sum depends on it
        for parameter, loaded in self.optimizer.state.items():
            for name, value in loaded.items():
                if value.shape == parameter.shape:
                    loaded[name] = torch.empty_like(parameter, requires_grad=False).copy_(value)

    def _set_learning_rates(self) -> None:
        self.scheduler.last_epoch = self.step
        for group, base, factor in zip(
            self.optimizer.param_groups,
            self.scheduler.base_lrs,
            self.scheduler.lr_lambdas,
            strict=True,
        ):
            group["lr"] = base * factor(self.step)


def _read(path: Path) -> tuple[dict[str, Tensor], int, dict[str, Any] | None]:
    """The tensors of a state, its iteration, and the settings of its run."""
    if not path.is_file():
        raise InputError(f"nothing to resume: {path} does not exist; start without --resume")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
        settings = json.loads(metadata["settings"]) if "settings" in metadata else None
        return load_file(path), int(metadata["step"]), settings
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is damaged ({error}); delete it and start without --resume"
        ) from None


def _without_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, without it."""
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}

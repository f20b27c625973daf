"""The output folder of a run: never used twice unasked; a resumed run says what has changed."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Protocol

from omegaconf import OmegaConf
from torch import nn

from ovarnet.config import Optimisation, resolve
from ovarnet.errors import InputError
from ovarnet.io.files import check_folder
from ovarnet.training.engine.best_weights import FILE as BEST
from ovarnet.training.engine.recorder import HISTORY, TENSORBOARD
from ovarnet.training.engine.training_state import FILE as STATE
from ovarnet.training.engine.training_state import TrainingState

logger = logging.getLogger(__name__)
WITHOUT_EFFECT = ("output", "optimisation.workers", "optimisation.save_every", "image_cache_mb")
"""Settings that change no number of a run."""


class Run(Protocol):
    """Settings of a stage with iterations, a dataclass of `ovarnet.config`."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    output: str
    seed: int
    optimisation: Optimisation


def check_run_folder(output: str | Path, *, resume: bool, overwrite: bool) -> None:
    """Check that a run may write into a folder.

    Args:
        output: Folder of the run; it need not exist.
        resume: The run continues the one in it.
        overwrite: What an earlier run left may be replaced.

    Raises:
        InputError: It is a file, or holds an earlier run and neither flag is given.
    """
    check_folder(output, "output")
    folder = Path(output)
    if resume or overwrite:
        return
    if (folder / "checkpoint").exists():
        raise InputError(
            f"{folder} holds a finished run; give another output, or --overwrite to train again "
            "from the start"
        )
    if (folder / STATE).exists():
        raise InputError(
            f"{folder} holds an unfinished run; give --resume to continue it, another output, or "
            "--overwrite to train from the start"
        )


def start_run(folder: Path) -> None:
    """Make the folder of a run, without state and history of an earlier one.

    A checkpoint in it stays until the new one replaces it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in (STATE, HISTORY, BEST):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / TENSORBOARD, ignore_errors=True)


def resume_run(state: TrainingState, model: nn.Module, config: Run) -> None:
    """Continue from the saved state; logs one line where the settings have changed.

    Args:
        state: Of the new run, which takes over the saved one.
        model: Gets the saved weights.
        config: Settings of the new run.

    Raises:
        InputError: There is no state, it is damaged or of another model, or the new schedule ends
            before it.
    """
    state.resume(model)
    iterations = config.optimisation.iterations
    if state.step > iterations:
        raise InputError(
            f"{state.path} is of iteration {state.step}, and optimisation.iterations is "
            f"{iterations}; give at least {state.step} to resume"
        )
    changed = changed_settings(config, state.saved_settings)
    if changed:
        logger.warning("resumed with other settings than before: %s", "; ".join(changed))


def changed_settings(config: Run, saved: Mapping[str, Any] | None) -> list[str]:
    """Settings that differ from those of an earlier run, such as "seed 0 -> 1".

    Args:
        config: Settings of a stage.
        saved: Those of the earlier run, as plain values; None or of a version that is not read any
            more: nothing is known to differ.
    """
    try:
        before = resolve(OmegaConf.create(dict(saved or {})), "the saved state")
    except InputError:
        return []
    old, new = dict(flat_settings(asdict(before))), dict(flat_settings(asdict(config)))
    return [
        f"{key} {old.get(key)} -> {new.get(key)}"
        for key in dict.fromkeys((*new, *old))
        if key not in WITHOUT_EFFECT and old.get(key) != new.get(key)
    ]


def flat_settings(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values."""
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from flat_settings(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value

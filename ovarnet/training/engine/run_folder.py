"""The output folder of a run: not used twice unasked, and described by the settings of the run."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from ovarnet.config import resolve
from ovarnet.errors import InputError
from ovarnet.io.files import check_folder, write_text
from ovarnet.training.engine.recorder import HISTORY
from ovarnet.training.engine.training_state import FILE as STATE

logger = logging.getLogger(__name__)
SETTINGS = "settings.yaml"
WITHOUT_EFFECT = ("output", "optimisation.workers", "optimisation.save_every", "image_cache_mb")
"""Settings that change no number of a run."""


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


def claim_run_folder(config: Any, *, resume: bool) -> None:
    """Write the settings of a run into its folder; called by one process, before training.

    A run from the start removes state and history of an earlier one. Its checkpoint stays until the
    new one replaces it. A resumed run logs one line where its settings differ from those it began
    with.

    Args:
        config: Settings of a stage.
        resume: The run continues the one in the folder.
    """
    folder = Path(config.output)
    if resume:
        changed = changed_settings(config, folder / SETTINGS)
        if changed:
            logger.warning("resumed with other settings than before: %s", "; ".join(changed))
    else:
        for name in (STATE, HISTORY):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / "tensorboard", ignore_errors=True)
    write_text(folder / SETTINGS, OmegaConf.to_yaml(OmegaConf.create(asdict(config))))


def changed_settings(config: Any, file: Path) -> list[str]:
    """Settings that differ from those in a file, such as "optimisation.lr 0.1 -> 0.01".

    Args:
        config: Settings of a stage.
        file: Written by `claim_run_folder`; nothing differs where it does not exist.
    """
    if not file.is_file():
        return []
    before = OmegaConf.load(file)
    if not isinstance(before, DictConfig):
        raise InputError(f"{file} is damaged; delete it to resume without comparing settings")
    old, new = (dict(_flat(asdict(one))) for one in (resolve(before, str(file)), config))
    return [
        f"{key} {old.get(key)} -> {new.get(key)}"
        for key in dict.fromkeys((*new, *old))
        if key not in WITHOUT_EFFECT and old.get(key) != new.get(key)
    ]


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values."""
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value

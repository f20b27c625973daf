"""Checkpoints of the models of a catalogue, which have no vocabulary of categories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from torch import nn

from ovarnet.checkpoint import save_checkpoint
from ovarnet.training.engine.run_folder import Run
from ovarnet.vocabulary import Vocabulary


def save_model(
    config: Run,
    accelerator: Accelerator,
    kind: str,
    settings: Mapping[str, Any],
    parts: Mapping[str, nn.Module],
    texts: Mapping[str, str],
) -> Path:
    """Write the checkpoint of a finished run; of several processes the first one writes.

    Args:
        config: Settings of the run, which are saved too.
        accelerator: Of the run.
        kind: Of the model.
        settings: Plain values that build the model again.
        parts: Name -> module whose weights are saved.
        texts: Name -> content of further files.

    Returns:
        The folder.
    """
    folder = Path(config.output) / "checkpoint"
    accelerator.on_main_process(save_checkpoint)(
        folder,
        model=kind,
        settings={**settings, "training": asdict(config)},
        vocabulary=Vocabulary(),
        parts={name: module.state_dict() for name, module in parts.items()},
        texts=texts,
    )
    return folder

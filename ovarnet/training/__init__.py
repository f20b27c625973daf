"""One folder per stage of the training chain, beside the loop and the data they share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from accelerate import Accelerator

from ovarnet.config import STAGES
from ovarnet.errors import InputError


def train(config: Any, accelerator: Accelerator, *, resume: bool = False) -> Path:
    """Train the stage that a config describes.

    Args:
        config: Settings of a stage, as `ovarnet.config.load_config` returns them.
        accelerator: Device, precision and processes.
        resume: Continue from the last saved state in `config.output`.

    Returns:
        The checkpoint folder it wrote.

    Raises:
        InputError: `resume` of a stage without iterations, and whatever its data lack.
    """
    function = STAGES[config.stage].load_function()
    if hasattr(config, "optimisation"):
        return function(config, accelerator, resume=resume)
    if resume:
        raise InputError(
            f"stage {config.stage} has no iterations to resume; run it without --resume"
        )
    if accelerator.is_main_process:
        function(config)
    accelerator.wait_for_everyone()
    return Path(config.output) / "checkpoint"

"""Curves of a run in Weights & Biases or MLflow, through accelerate's trackers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib.util import find_spec

from accelerate import Accelerator
from accelerate.tracking import GeneralTracker

from ovarnet.errors import InputError
from ovarnet.training.engine.run_folder import Run, flat_settings

PROJECT = "ovarnet"


def check_trackers(names: Sequence[str]) -> None:
    """Check that the packages of trackers are installed, before a run begins.

    Raises:
        InputError: Names the command that installs the package.
    """
    for name in names:
        if find_spec(name) is None:
            raise InputError(
                f"--log-with {name} needs the package {name}, which is not installed: "
                f"pip install {name}"
            )


@contextmanager
def open_trackers(accelerator: Accelerator, config: Run) -> Iterator[None]:
    """Start the trackers of an accelerator, and end them with the run.

    Args:
        accelerator: Made with `log_with`; without trackers nothing happens.
        config: Its settings are stored with the run, which is named after its output folder.

    Raises:
        InputError: A tracker does not start, such as one that asks for a login.
    """
    names = [
        tracker.name if isinstance(tracker, GeneralTracker) else str(tracker)
        for tracker in accelerator.log_with
    ]
    if names:
        settings = {
            key: value if isinstance(value, (bool, int, float, str)) else str(value)
            for key, value in flat_settings(asdict(config))
        }
        options = {"wandb": {"name": config.output}, "mlflow": {"run_name": config.output}}
        try:
            accelerator.init_trackers(PROJECT, config=settings, init_kwargs=options)
        except Exception as error:  # each service has its own kinds
            raise InputError(
                f"--log-with {', '.join(names)}: cannot be started ({error}); log in, or leave it "
                "out: history.json and TensorBoard's curves are written anyway"
            ) from None
    try:
        yield
    finally:
        for tracker in accelerator.trackers:
            tracker.finish()

"""`--dry-run`: measure two steps of a stage on 20 images of each source, and keep nothing.

What is measured is the stage itself: no stage knows that it is a trial. Times are taken at the two
places that every step passes, the model's forward and the accelerator's backward.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from ovarnet.config import Optimisation
from ovarnet.errors import InputError
from ovarnet.training import train

SAMPLES = 20
STEPS = 2
"""The first one pays for compiling kernels and filling caches; the second is timed."""
SHARED_FOLDERS = ("features", "maps", "regions")
"""Settings that name a folder of what several runs share; a trial neither reads nor fills it."""
SECONDS_ONLY = 100
"""Durations below are not rounded to minutes."""


class StepClock(Accelerator):
    """An accelerator that takes the time of every training step.

    The loop's finite check waits for the losses, so that the times hold on a GPU as well.

    Attributes:
        ready: Seconds at which training was set up.
        forwards: Seconds at which the forward of each step began.
        backwards: Seconds at which its backward ended.
    """

    def __init__(self, **settings: Any):
        super().__init__(**settings)
        self.ready = 0.0
        self.forwards: list[float] = []
        self.backwards: list[float] = []

    def prepare(self, model: nn.Module, *others: Any) -> Any:
        """As `Accelerator.prepare`; from here on, forward passes in training mode are timed."""
        model.register_forward_pre_hook(
            lambda *_: self.forwards.append(time.perf_counter()) if model.training else None
        )
        self.ready = time.perf_counter()
        return super().prepare(model, *others)

    def backward(self, loss: Tensor, **settings: Any) -> None:
        """As `Accelerator.backward`, timed."""
        super().backward(loss, **settings)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.backwards.append(time.perf_counter())


@dataclass(frozen=True)
class Trial:
    """What a dry run measured; its text is what the command prints.

    Attributes:
        stage: Name of the stage.
        optimisation: Its settings, as the run would have them.
        processes: Number of processes.
        setup: Seconds until the first step, with SAMPLES images of each source.
        reading: Seconds to read a batch in one process.
        learning: Seconds of the rest of a step.
        memory: Peak bytes of this process.
        gpu_memory: Peak bytes of the GPU; 0 without one.
    """

    stage: str
    optimisation: Optimisation
    processes: int
    setup: float
    reading: float
    learning: float
    memory: int
    gpu_memory: int

    @property
    def seconds(self) -> float:
        """Of the whole schedule; workers read while the model learns, and the slower one counts."""
        workers = self.optimisation.workers
        step = self.reading + self.learning
        if workers:
            step = max(self.learning, self.reading / workers)
        return step * self.optimisation.iterations

    def __str__(self) -> str:
        schedule = self.optimisation
        workers = schedule.workers
        gpu = f", {gigabytes(self.gpu_memory)} of the GPU" if self.gpu_memory else ""
        beside = f" (with {workers} workers beside it)" if workers else ""
        is_bound_by_reading = workers and self.reading / workers > self.learning
        bound = "reading; more workers would help" if is_bound_by_reading else "learning"
        return "\n".join(
            [
                f"dry run of stage {self.stage}, {self.processes} process(es): nothing is kept",
                f"set-up    {self.setup:.1f} s with {SAMPLES} samples of each source; bars above "
                "show what a run does once for all samples",
                f"one step  reading {self.reading:.3g} s{beside}, learning {self.learning:.3g} "
                f"s, batch {schedule.batch_size}",
                f"memory    peak {gigabytes(self.memory)} of this process{gpu}",
                f"schedule  {schedule.iterations:,} iterations: about {duration(self.seconds)} "
                f"after the set-up, bound by {bound}",
            ]
        )


def dry_run(config: Any, **accelerator: Any) -> Trial | str:
    """Build a stage, take two steps and save into a temporary folder.

    Args:
        config: Settings of a stage.
        **accelerator: Settings of `Accelerator`.

    Returns:
        What was measured; of a stage without iterations a text that says so.

    Raises:
        InputError: A batch does not fit into the GPU, and whatever the stage refuses.
    """
    if not hasattr(config, "optimisation"):
        return _without_steps(config, Accelerator(**accelerator))
    clock, started = StepClock(**accelerator), time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="ovarnet-dry-run-") as folder:
        try:
            train(shortened(config, folder), clock)
        except torch.OutOfMemoryError:
            raise InputError(
                f"a batch of {config.optimisation.batch_size} on {clock.num_processes} "
                "process(es) does not fit into the GPU; "
                "lower optimisation.batch_size, or use more GPUs"
            ) from None
    return Trial(
        stage=config.stage,
        optimisation=config.optimisation,
        processes=clock.num_processes,
        setup=clock.ready - started,
        reading=clock.forwards[-1] - clock.backwards[-2],
        learning=clock.backwards[-1] - clock.forwards[-1],
        memory=peak_memory(),
        gpu_memory=torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0,
    )


def shortened(config: Any, folder: str) -> Any:
    """The settings of a trial: every image is read anew, by this process, so that it can be timed.

    Args:
        config: Settings of a stage with iterations.
        folder: Output of the trial.
    """
    changes: dict[str, Any] = {
        "output": folder,
        "limit": SAMPLES,
        "optimisation": replace(config.optimisation, iterations=STEPS, workers=0),
    }
    if "image_cache_mb" in {field.name for field in fields(config)}:
        changes["image_cache_mb"] = 0
    shared = {name for name in SHARED_FOLDERS if isinstance(getattr(config, name, None), str)}
    return replace(config, **changes, **dict.fromkeys(shared))


def _without_steps(config: Any, accelerator: Accelerator) -> str:
    """Run a stage that only fits something, on few boxes where it says how many."""
    boxes, started = getattr(config, "calibration_boxes", None), time.perf_counter()
    changes = {"calibration_boxes": min(boxes, SAMPLES)} if boxes else {}
    with tempfile.TemporaryDirectory(prefix="ovarnet-dry-run-") as folder:
        train(replace(config, output=folder, **changes), accelerator)
    with_boxes = f" with {min(boxes, SAMPLES)} boxes; the run embeds {boxes:,}" if boxes else ""
    return (
        f"dry run of stage {config.stage}: nothing is kept\n"
        f"schedule  no training steps: this took {time.perf_counter() - started:.1f} "
        f"s{with_boxes}\n"
        f"memory    peak {gigabytes(peak_memory())} of this process"
    )


def peak_memory() -> int:
    """Most bytes that this process has held."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def gigabytes(size: int) -> str:
    """Bytes as text, such as "1.50 GiB"."""
    return f"{size / 2**30:.2f} GiB"


def duration(seconds: float) -> str:
    """Seconds as text: "45 s", "12 min", "3 h 20 min" or "2 days 4 h"."""
    if seconds < SECONDS_ONLY:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} days {hours % 24} h"

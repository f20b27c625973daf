"""`--dry-run`: a stage as it would run, on 20 images of each source and for two steps, in a folder
that is thrown away.

What it measures is the stage itself: no stage knows that it is a trial. The times are read off at
the two places that every step passes, the model's forward and the accelerator's backward.
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

from ovarnet.config import Optimisation
from ovarnet.errors import InputError
from ovarnet.training import train

SAMPLES = 20
STEPS = 2
"""The first one pays for compiling kernels and filling caches; the second is timed."""


class StepClock(Accelerator):
    """An accelerator that notes when training is set up, and when the forward of each step began
    and its backward ended.

    `check_finite` in the loop waits for the losses, so that these times hold on a GPU as well.
    """

    def __init__(self, **settings):
        super().__init__(**settings)
        self.ready, self.forwards, self.backwards = None, [], []

    def prepare(self, model, *others):
        model.register_forward_pre_hook(
            lambda *_: self.forwards.append(time.perf_counter()) if model.training else None
        )
        self.ready = time.perf_counter()
        return super().prepare(model, *others)

    def backward(self, loss, **settings) -> None:
        super().backward(loss, **settings)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.backwards.append(time.perf_counter())


@dataclass(frozen=True)
class Trial:
    """What a dry run found. Seconds; bytes.

    setup: until the first step, with SAMPLES images of each source. reading, learning: of one step,
    one after the other in one process.
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
        """Of the whole schedule: with workers, reading goes on beside learning, and the slower one
        counts.
        """
        workers = self.optimisation.workers
        step = (
            max(self.learning, self.reading / workers) if workers else self.learning + self.reading
        )
        return step * self.optimisation.iterations

    def __str__(self) -> str:
        schedule, gpu = (
            self.optimisation,
            f", {gigabytes(self.gpu_memory)} of the GPU" if self.gpu_memory else "",
        )
        helpers = f" (with {schedule.workers} workers beside it)" if schedule.workers else ""
        bound = (
            "reading; more workers would help"
            if schedule.workers and self.reading / schedule.workers > self.learning
            else "learning"
        )
        return "\n".join(
            [
                f"dry run of stage {self.stage}, {self.processes} process(es): nothing is kept",
                f"set-up    {self.setup:.1f} s with {SAMPLES} samples of each source; bars above "
                "show what a run does once for all samples",
                f"one step  reading {self.reading:.3g} s{helpers}, learning {self.learning:.3g} "
                f"s, batch {schedule.batch_size}",
                f"memory    peak {gigabytes(self.memory)} of this process{gpu}",
                f"schedule  {schedule.iterations:,} iterations: about {duration(self.seconds)} "
                f"after the set-up, bound by {bound}",
            ]
        )


def dry_run(config: Any, **accelerator: Any) -> Trial | str:
    """Build everything that `config` (settings of a stage) describes, take two
    steps, save into a temporary folder, and return what was measured. Of a stage without steps:
    what it did, in words. accelerator: settings of `Accelerator`. InputError: a batch does not fit
    into the GPU.
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
    reading, learning = (
        clock.forwards[-1] - clock.backwards[-2],
        clock.backwards[-1] - clock.forwards[-1],
    )
    gpu_memory = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
    return Trial(
        config.stage,
        config.optimisation,
        clock.num_processes,
        clock.ready - started,
        reading,
        learning,
        peak_memory(),
        gpu_memory,
    )


def shortened(config: Any, folder: str) -> Any:
    """The same settings for a trial: every image is read anew, by this process, so that reading can
    be timed.
    """
    names = {field.name for field in fields(config)}
    changes = {
        "output": folder,
        "limit": SAMPLES,
        "optimisation": replace(config.optimisation, iterations=STEPS, workers=0),
    }
    return replace(
        config, **changes, **({"image_cache_mb": 0} if "image_cache_mb" in names else {})
    )


def _without_steps(config: Any, accelerator: Accelerator) -> str:
    """A stage that only fits something: it is run as it is, on few boxes where it says how many."""
    boxes, started = getattr(config, "calibration_boxes", None), time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="ovarnet-dry-run-") as folder:
        train(
            replace(
                config,
                output=folder,
                **({"calibration_boxes": min(boxes, SAMPLES)} if boxes else {}),
            ),
            accelerator,
        )
    with_boxes = f" with {min(boxes, SAMPLES)} boxes; the run embeds {boxes:,}" if boxes else ""
    return (
        f"dry run of stage {config.stage}: nothing is kept\n"
        f"schedule  no training steps: this took {time.perf_counter() - started:.1f} "
        f"s{with_boxes}\n"
        f"memory    peak {gigabytes(peak_memory())} of this process"
    )


def peak_memory() -> int:
    """Most bytes that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def gigabytes(size: int) -> str:
    return f"{size / 2**30:.2f} GiB"


def duration(seconds: float) -> str:
    """ "45 s", "12 min", "3 h 20 min", "2 days 4 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} days {hours % 24} h"

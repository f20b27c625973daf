"""What was run, on which machine and for how long: one JSON file beside the results."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from ovarnet import __version__
from ovarnet.errors import InputError
from ovarnet.io.files import read_json, write_json

FILE = "chain.json"


@dataclass
class Entry:
    """One step.

    Attributes:
        title: For people.
        command: Words after `ovarnet`.
        settings: Everything that its outcome depends on.
        seconds: Wall time of all attempts.
        cpu_seconds: Of all threads and worker processes.
        attempts: How often it was started.
        finished: Date and time, "" until it is done.
    """

    title: str
    command: list[str]
    settings: dict | list
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    attempts: int = 0
    finished: str = ""


@dataclass
class Ledger:
    """All steps of a chain.

    Attributes:
        path: Of the JSON file, which is written after every step.
        machine: The one that ran the last step.
        entries: By name of the step, in the order of the chain.
    """

    path: Path
    machine: dict[str, str] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path) -> Ledger:
        """Read the ledger in `folder`; a new one where there is none.

        Raises:
            InputError: The file was written by something else.
        """
        path = folder / FILE
        if not path.is_file():
            return cls(path)
        stored = read_json(path, dict)
        try:
            return cls(
                path,
                stored["machine"],
                {name: Entry(**entry) for name, entry in stored["steps"].items()},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path} was not written by this version of ovarnet ({error}); give another "
                "--output"
            ) from None

    @contextmanager
    def timed(self, name: str, entry: Entry, *, again: bool) -> Iterator[None]:
        """Count the time of a step, also when it fails or is interrupted.

        Args:
            name: Of the step.
            entry: Replaces an earlier entry of that name.
            again: Continue the earlier entry instead, as another attempt at the same thing.
        """
        earlier = self.entries.pop(name, None)
        self.entries[name] = entry = earlier if again and earlier else entry
        started, cpu_started = time.monotonic(), cpu_seconds()
        entry.attempts, entry.finished = entry.attempts + 1, ""
        self.machine = machine()
        self.write()
        try:
            yield
            entry.finished = datetime.now().isoformat(" ", "seconds")
        finally:
            entry.seconds += time.monotonic() - started
            entry.cpu_seconds += cpu_seconds() - cpu_started
            self.write()

    def write(self) -> None:
        """Write the JSON file."""
        write_json(
            self.path,
            {
                "machine": self.machine,
                "steps": {name: asdict(entry) for name, entry in self.entries.items()},
            },
            indent=1,
        )


def cpu_seconds() -> float:
    """CPU time of this process so far, and of the workers that it has waited for."""
    return sum(os.times()[:4])


def machine() -> dict[str, str]:
    """What a reader has to know to compare times."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "threads": str(torch.get_num_threads()),
        "GPU": device,
        "load at the start": f"{os.getloadavg()[0]:.1f}"
        if hasattr(os, "getloadavg")
        else "unknown",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "torch": torch.__version__,
        "ovarnet": __version__,
    }


def _processor() -> str:
    """The name of the processor where the system knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )

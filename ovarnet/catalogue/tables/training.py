"""Training runs of the tables, each a command that a user could type, run once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ovarnet.catalogue.data.prepared import PREPARED
from ovarnet.training.engine.training_state import FILE as STATE

RunCommand = Callable[[Sequence[str]], object]
"""Called with the words of one `ovarnet` command; raises where the command fails."""


def train_missing(config: Path, output: Path, overrides: Sequence[str], run: RunCommand) -> Path:
    """Train a stage, unless that is done; an interrupted run is resumed.

    Args:
        config: Its settings.
        output: Folder of the run.
        overrides: KEY=VALUE.
        run: Runs a command.

    Returns:
        The checkpoint folder.
    """
    checkpoint = output / "checkpoint"
    if not checkpoint.is_dir():
        is_begun = (output / STATE).is_file()
        resume = ["--resume"] if is_begun else []
        run(["train", str(config), f"output={output}", *overrides, *resume])
    return checkpoint


def prepare_missing(root: Path, run: RunCommand) -> Path:
    """Prepare a catalogue, unless that is done; returns its folder."""
    if not (root / PREPARED).is_file():
        run(["prepare", "catalogue", "--root", str(root)])
    return root


def draw_missing(root: Path, products: int, run: RunCommand) -> Path:
    """Draw and prepare a catalogue, unless that is done; returns its folder."""
    if not root.is_dir():
        run(["generate", "catalogue", "--root", str(root), "--products", str(products)])
    return prepare_missing(root, run)

"""Run the steps of the chain, each once.

Finished steps are kept; a changed step is run again with all that follow it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ovarnet.errors import InputError
from ovarnet.io.files import check_folder
from ovarnet.scenes.chain.ledger import FILE, Entry, Ledger
from ovarnet.scenes.chain.steps import Places, all_steps

STATE = "state.safetensors"
"""What an interrupted training stage resumes from."""


def run_chain(
    places: Places, sizes: Mapping[str, Sequence[str]], run: Callable[[Sequence[str]], object]
) -> Ledger:
    """Run what is not done yet.

    Args:
        places: Where configs are and results go.
        sizes: Step -> words added to its command (`sizes.py`).
        run: Called with the words of one `ovarnet` command; raises where the command fails.

    Returns:
        The ledger of all steps.

    Raises:
        InputError: The output folder holds other things, or a config is wrong; all configs are read
            before anything runs.
    """
    steps = all_steps(places, sizes)
    settings = {step.name: json.loads(json.dumps(step.settings())) for step in steps}
    ledger, fresh = _claim(places.output), False
    for number, step in enumerate(steps, 1):
        print(f"\n[{number}/{len(steps)}] {step.title}", flush=True)
        same = (
            not fresh
            and step.name in ledger.entries
            and ledger.entries[step.name].settings == settings[step.name]
        )
        if same and ledger.entries[step.name].finished and step.product.exists():
            print(
                f"done before, in {ledger.entries[step.name].seconds / 60:.1f} minutes; not run "
                "again",
                flush=True,
            )
            continue
        resumed = same and step.is_training and (step.folder / STATE).is_file()
        if not resumed and step.folder.exists():
            shutil.rmtree(step.folder)
        command = [*step.command, *(["--resume"] if resumed else [])]
        print("ovarnet", *command, flush=True)
        with ledger.timed(
            step.name, Entry(step.title, list(step.command), settings[step.name]), again=resumed
        ):
            run(command)
        fresh = True
    return ledger


def _claim(output: Path) -> Ledger:
    """Open the ledger of the output folder.

    A folder that holds anything but a chain is refused, so that its parts can be replaced.
    """
    check_folder(output)
    if output.is_dir() and any(output.iterdir()) and not (output / FILE).is_file():
        raise InputError(
            f"--output {output}: holds other things than a chain; give a new or empty folder"
        )
    output.mkdir(parents=True, exist_ok=True)
    return Ledger.open(output)

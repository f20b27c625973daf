"""Runs the steps of the chain, each once: what is done stays, what is changed is made again, and
everything after it too.
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
"""What a training stage goes on from after a break."""


def run_chain(
    places: Places, sizes: Mapping[str, Sequence[str]], run: Callable[[Sequence[str]], object]
) -> Ledger:
    """Run what is not done yet. run: called with the words of one `ovarnet` command; it raises
    where the command fails.

    InputError: the output folder holds other things; a config is wrong (all are read before
    anything runs).
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
    """The ledger of the output folder, which holds nothing but a chain, so that it is safe to
    replace parts of it.
    """
    check_folder(output)
    if output.is_dir() and any(output.iterdir()) and not (output / FILE).is_file():
        raise InputError(
            f"--output {output}: holds other things than a chain; give a new or empty folder"
        )
    output.mkdir(parents=True, exist_ok=True)
    return Ledger.open(output)

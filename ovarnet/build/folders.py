"""Names of models -> checkpoint folders."""

from __future__ import annotations

import os
from pathlib import Path

from ovarnet.errors import InputError

SHIPPED = Path(__file__).parent.parent / "weights"
"""Checkpoint folders that come with the package; their names can be given to `load`."""


def find_checkpoint(name: str) -> Path:
    """Find a checkpoint folder.

    Args:
        name: of a shipped folder, or a path; ./scenes is never the shipped one.

    Raises:
        InputError: there is no such folder.
    """
    shipped = sorted(folder.parent.name for folder in SHIPPED.glob("*/config.yaml"))
    if name in shipped:
        return SHIPPED / name
    if os.path.isdir(name):
        return Path(name)
    raise InputError(
        f"model '{name:.80}' is neither a checkpoint folder nor one that ships "
        f"({', '.join(shipped)}) nor of the form clip-attr:ARCH/WEIGHTS"
    )


def find_proposer(name: str) -> Path:
    """Find a folder that holds a proposer.

    Args:
        name: as in `find_checkpoint`; "scenes" is the proposer that ships with CLIP-Attr, as
            OvarNet has no offline proposer.

    Raises:
        InputError: there is no such folder.
    """
    return find_checkpoint("scenes-clip-attr" if name == "scenes" else name)

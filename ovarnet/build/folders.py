"""Names of models -> checkpoint folders."""

from __future__ import annotations

import os
from pathlib import Path

from ovarnet.errors import InputError
from ovarnet.shipped import shipped_models, teacher_name


def find_checkpoint(name: str) -> Path:
    """Find a checkpoint folder.

    Args:
        name: of a shipped folder, or a path; ./scenes is never the shipped one.

    Raises:
        InputError: there is no such folder.
    """
    shipped = shipped_models()
    if name in shipped:
        return shipped[name]
    if os.path.isdir(name):
        return Path(name)
    raise InputError(
        f"model '{name:.80}' is neither a checkpoint folder nor one that ships "
        f"({', '.join(shipped)}) nor of the form clip-attr:ARCH/WEIGHTS or hf:ORGANISATION/NAME"
    )


def find_proposer(name: str) -> Path:
    """Find a folder that holds a proposer.

    Args:
        name: as in `find_checkpoint`; the name of a shipped OvarNet stands for the proposer that
            ships with its teacher, as OvarNet has no offline proposer.

    Raises:
        InputError: there is no such folder.
    """
    shipped, teacher = shipped_models(), teacher_name(name)
    return find_checkpoint(teacher if name in shipped and teacher in shipped else name)

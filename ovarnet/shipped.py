"""Models that ship with the package, and which of them is used where none is named.

Imports nothing but the standard library: the parsers of the command line show the defaults.
"""

from __future__ import annotations

from pathlib import Path

SHIPPED = Path(__file__).parent / "weights"
"""Checkpoint folders that come with the package; their names can be given to `ovarnet.load`."""

DEFAULT_MODEL = "photos-clip-attr"
"""The model of `ovarnet.load` and of the commands where none is named."""

DEFAULT_PROPOSER = "photos"
"""The proposer of a stock CLIP, and of `ovarnet propose`, where none is named."""


def shipped_models() -> dict[str, Path]:
    """Name -> checkpoint folder of every model that is there, sorted by name."""
    return {file.parent.name: file.parent for file in sorted(SHIPPED.glob("*/config.yaml"))}


def teacher_name(name: str) -> str:
    """The name under which the CLIP-Attr ships that the shipped OvarNet `name` was distilled from.

    It may not be there: `shipped_models` says.
    """
    return f"{name}-clip-attr"

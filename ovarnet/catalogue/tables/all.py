"""All tables of `ovarnet reproduce catalogue`, or some of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ovarnet.catalogue.tables.clip import clip_table
from ovarnet.catalogue.tables.fine_tuning import fine_tuning_tables
from ovarnet.catalogue.tables.matcher import matcher_table
from ovarnet.catalogue.tables.photo_matcher import photo_matcher_table
from ovarnet.catalogue.tables.sizes import Sizes
from ovarnet.catalogue.tables.training import RunCommand

OF_SHOPS = {"clip": clip_table, "photo-matcher": photo_matcher_table}
"""Parts that need a shop's catalogue."""


def write_tables(
    parts: Sequence[str],
    root: Path | None,
    configs: Path,
    output: Path,
    sizes: Sizes,
    run: RunCommand,
) -> str:
    """Run what is missing of some tables; each part keeps its files in a folder of its name.

    Args:
        parts: "clip", "photo-matcher", "matcher" and "fine-tuning".
        root: A shop's catalogue; the first two need it.
        configs: Folder of the stages' configs.
        output: Where everything is written.
        sizes: How much is run.
        run: Runs one `ovarnet` command.

    Returns:
        The tables, in percent.

    Raises:
        InputError: The catalogue cannot be read, or a command failed.
    """
    tables = []
    for part in parts:
        folder = output / part
        if part in OF_SHOPS:
            assert root is not None
            tables.append(OF_SHOPS[part](root, configs, folder, sizes, run))
        elif part == "matcher":
            tables.append(matcher_table(configs, folder, sizes, run))
        else:
            tables.append(fine_tuning_tables(configs, folder, sizes, run))
    return "\n".join(tables)

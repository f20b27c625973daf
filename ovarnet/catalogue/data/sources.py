"""Which files a catalogue's folder holds, and how they are read: catalogue.yaml, or usual names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ovarnet.catalogue.data.fashion_gen import read_fashion_gen
from ovarnet.catalogue.data.tables import Columns, read_table
from ovarnet.catalogue.data.tsv import read_tsv
from ovarnet.catalogue.product import SPLITS, Product
from ovarnet.errors import InputError, did_you_mean, errors_prefixed
from ovarnet.io.files import read_yaml
from ovarnet.io.skipped import Skipped

SETTINGS = "catalogue.yaml"
KEYS = ("table", "images", "columns", "labels")
USUAL: tuple[dict[str, str], ...] = (
    {"": "products.csv"},
    {"": "products.jsonl"},
    {"": "pairs.tsv"},
    {"train": "train.tsv", "test": "test.tsv"},
    {"train": "fashiongen_256_256_train.h5", "test": "fashiongen_256_256_validation.h5"},
)
"""Split ("": drawn) -> file; the first set that is there is read."""


@dataclass(frozen=True)
class Source:
    """What to read.

    Attributes:
        tables: Split -> file; under "", the splits are drawn or stand in the table.
        images: Folder that the image column of a table is relative to.
        columns: How the columns of a table are used.
    """

    tables: dict[str, Path]
    images: Path
    columns: Columns


def read_source(root: Path, skipped: Skipped) -> list[Product]:
    """Read the products of a folder, whatever their format.

    Args:
        root: Folder of the catalogue.
        skipped: Notes rows that cannot be used.

    Raises:
        InputError: There is no table, or it cannot be read.
    """
    source, products = find_source(root), []
    for split, path in source.tables.items():
        if path.suffix == ".h5":
            products += read_fashion_gen(path, split, skipped)
        elif path.suffix == ".tsv" and not _has_header(path):
            products += read_tsv(path, split, skipped)
        else:
            products += read_table(path, source.images, source.columns, skipped)
    return products


def find_source(root: Path) -> Source:
    """What catalogue.yaml says, or the files with usual names.

    Raises:
        InputError: Neither is there, or catalogue.yaml has an unknown key or value.
    """
    path = root / SETTINGS
    stated: dict[str, Any] = {}
    if path.is_file():
        stated = read_yaml(path) or {}
        with errors_prefixed(path):
            _check(stated)
    table = stated.get("table") or _usual(root)
    tables = table if isinstance(table, dict) else {"": table}
    folder = stated.get("images", "images")
    labels = stated.get("labels")
    return Source(
        {split: root / name for split, name in tables.items()},
        root / folder,
        Columns(stated.get("columns") or {}, labels),
    )


def _usual(root: Path) -> dict[str, str]:
    for tables in USUAL:
        if all((root / name).is_file() for name in tables.values()):
            return tables
    raise InputError(
        f"{root}: no products.csv, products.jsonl, pairs.tsv or Fashion-Gen files; put one there, "
        f"or name the table in {SETTINGS}: docs/catalogue.md shows the form"
    )


def _check(stated: Any) -> None:
    if not isinstance(stated, dict):
        raise InputError("it must hold 'key: value' lines, such as 'table: products.csv'")
    for key in stated:
        if key not in KEYS:
            raise InputError(f"unknown key {key!r:.40}{did_you_mean(key, KEYS)}")
    table = stated.get("table")
    for split in table if isinstance(table, dict) else ():
        if split not in SPLITS:
            raise InputError(f"table: {split!r:.40} is no split; give {', '.join(SPLITS)}")
    if not isinstance(stated.get("columns", {}), dict):
        raise InputError("columns must map roles to columns, such as {title: name}")
    if not isinstance(stated.get("labels", []), list):
        raise InputError("labels must be a list of columns, such as [color, gender]")


def _has_header(path: Path) -> bool:
    """A table of pairs has none: its second cell is an image in base64."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; check the path")
    with path.open("rb") as file:
        cells = file.readline(100_000).split(b"\t")
    return len(cells) != 2 or len(cells[1]) < 100

"""A shop's own table: a row per photo, in CSV with any delimiter, or in JSON lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ovarnet.catalogue.product import SPLITS, Product
from ovarnet.errors import InputError, did_you_mean
from ovarnet.io.files import parse_json
from ovarnet.io.skipped import Skipped

Rows = list[tuple[int, dict[str, str]]]
"""Line of the file, from 1, and column -> text."""

ROLES = {
    "id": ("id", "product_id"),
    "image": ("image", "file_name", "photo"),
    "title": ("title", "text"),
    "category": ("category",),
    "subcategory": ("subcategory",),
    "group": ("group",),
    "split": ("split",),
}
"""What a column may be -> its usual names; only image and title are needed."""
NEEDED = ("image", "title")
DELIMITERS = ",;\t|"
MOST_VALUES = 0.5
"""A column is a label if it has at least two values, and at most this share of the products."""


@dataclass
class Columns:
    """How the columns of a table are used.

    Attributes:
        roles: Role, a key of `ROLES`, -> name of the column; usual names need no entry.
        labels: Names of the label columns; None: every other column with repeated values.
    """

    roles: Mapping[str, str] = field(default_factory=dict)
    labels: Sequence[str] | None = None


def read_table(
    path: str | Path, images: str | Path, columns: Columns, skipped: Skipped
) -> list[Product]:
    """Read a table of products.

    Rows of one id are views of one product: the first row gives its title and labels.

    Args:
        path: A .csv, .tsv or .jsonl file; UTF-8.
        images: Folder that the image column is relative to.
        columns: How the columns are used.
        skipped: Notes rows that cannot be used, with the line.

    Returns:
        Products without group and split where the table states none, in the order of the file.

    Raises:
        InputError: The file cannot be read, or a column is missing.
    """
    path, images = Path(path), Path(images)
    rows = _read_jsonl(path) if path.suffix == ".jsonl" else _read_csv(path)
    if not rows:
        raise InputError(f"{path}: no row under the header; give at least one product")
    names = list(dict.fromkeys(name for _, row in rows for name in row))
    roles = find_roles(columns.roles, names, path)
    labels = _label_columns(columns.labels, names, roles, rows, path)

    products: dict[str, Product] = {}
    for line, row in rows:
        product = _product(line, row, roles, labels, images, skipped)
        if product is None:
            continue
        first = products.get(product.id)
        if first is None:
            products[product.id] = product
        else:
            views = tuple(dict.fromkeys(first.images + product.images))
            if len(views) == len(first.images):
                skipped.add("row repeats a photo of its product", f"line {line}: {product.id}")
            products[product.id] = replace(first, images=views)
    return list(products.values())


def find_roles(given: Mapping[str, str], names: Sequence[str], path: Path) -> dict[str, str]:
    """Which column has which role.

    Args:
        given: Stated ones.
        names: Columns of the table.
        path: For messages.

    Raises:
        InputError: An unknown role, a stated column that is missing, or no photo or title.
    """
    for role, name in given.items():
        if role not in ROLES:
            raise InputError(
                f"unknown column role {role!r:.40}{did_you_mean(role, ROLES)}; there are "
                f"{', '.join(ROLES)}"
            )
        if name not in names:
            raise InputError(
                f"{path}: no column {name!r:.60}{did_you_mean(name, names)}; it has "
                f"{', '.join(names)}"
            )
    roles = dict(given)
    for role, usual in ROLES.items():
        free = [name for name in usual if name in names and name not in roles.values()]
        if role not in roles and free:
            roles[role] = free[0]
    for role in NEEDED:
        if role not in roles:
            raise InputError(
                f"{path}: no column {' or '.join(ROLES[role])}; it has {', '.join(names)}; say "
                f"which one it is: --columns {role}=NAME"
            )
    return roles


def _label_columns(
    given: Sequence[str] | None,
    names: Sequence[str],
    roles: Mapping[str, str],
    rows: Rows,
    path: Path,
) -> list[str]:
    if given is not None:
        for name in given:
            if name not in names:
                raise InputError(
                    f"{path}: no label column {name!r:.60}{did_you_mean(name, names)}; it has "
                    f"{', '.join(names)}"
                )
        return list(given)
    found = []
    for name in names:
        values = {row.get(name, "") for _, row in rows} - {""}
        if name not in roles.values() and 2 <= len(values) <= MOST_VALUES * len(rows):
            found.append(name)
    return found


def _product(
    line: int,
    row: Mapping[str, str],
    roles: Mapping[str, str],
    labels: Iterable[str],
    images: Path,
    skipped: Skipped,
) -> Product | None:
    """The product of a row; None, and a note, where it cannot be used."""
    values = {role: row.get(name, "").strip() for role, name in roles.items()}
    for role in NEEDED:
        if not values[role]:
            skipped.add(f"row without {role}", f"line {line}")
            return None
    split = values.get("split", "")
    if split and split not in SPLITS:
        raise InputError(
            f"line {line}: split is {split!r:.40}{did_you_mean(split, SPLITS)}; it must be one of "
            f"{', '.join(SPLITS)}"
        )
    return Product(
        id=values.get("id") or values["image"],
        images=(str(images / values["image"]),),
        title=" ".join(values["title"].split()),
        category=values.get("category", ""),
        subcategory=values.get("subcategory", ""),
        labels={name: row[name].strip() for name in labels if row.get(name, "").strip()},
        group=values.get("group", ""),
        split=split,
    )


def _read_csv(path: Path) -> Rows:
    text = _read_utf8(path)
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if len(set(header)) < len(header) or "" in header:
            raise InputError(
                f"{path}: its first line names a column twice or not at all; give every column "
                "one name"
            )
        rows: Rows = []
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise InputError(
                    f"{path} (line {reader.line_num}): {len(cells)} cells and {len(header)} "
                    "columns; quote cells that hold the delimiter"
                )
            rows.append((reader.line_num, dict(zip(header, cells, strict=True))))
    except csv.Error as error:
        raise InputError(
            f"{path} (line {reader.line_num}): {error}; close every quote, and double quotes "
            "inside a cell"
        ) from None
    return rows


def _read_jsonl(path: Path) -> Rows:
    rows: Rows = []
    for line, text in enumerate(_read_utf8(path).splitlines(), start=1):
        if not text.strip():
            continue
        try:
            record = parse_json(text)
        except (json.JSONDecodeError, RecursionError, ValueError) as error:
            raise InputError(f"{path} (line {line}): not valid JSON ({error})") from None
        if not isinstance(record, dict):
            raise InputError(f"{path} (line {line}): not an object {{...}}")
        rows.append((line, {str(key): _cell(value) for key, value in record.items()}))
    return rows


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _read_utf8(path: Path) -> str:
    """The text of a file; an error says which other encoding would decode it."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give a text file") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path} (line {line}): not UTF-8; it may be cp1252 or latin-1, save it as UTF-8"
        ) from None

"""The prepared catalogue: one JSON file with every product, its group, split and boxes.

`ovarnet prepare catalogue` writes it, whatever the original format; everything else reads it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ovarnet.catalogue.product import SPLITS, Catalogue, Product
from ovarnet.errors import InputError
from ovarnet.io.files import read_json, write_json

PREPARED = Path("prepared") / "catalogue.json"
FORMAT = "ovarnet-catalogue/1"


def open_catalogue(root: str | Path) -> Catalogue:
    """Read a catalogue that `ovarnet prepare catalogue` prepared.

    Args:
        root: Its folder.

    Returns:
        The products; places of photos begin with `root`.

    Raises:
        InputError: It is not prepared, or the file is damaged.
    """
    root = Path(root)
    path = root / PREPARED
    if not path.is_file():
        raise InputError(
            f"{root}: not a prepared catalogue; run: ovarnet prepare catalogue --root {root}"
        )
    content = read_json(path, dict)
    if content.get("format") != FORMAT:
        raise InputError(
            f"{path}: not of this version ({FORMAT}); run: ovarnet prepare catalogue --root {root}"
        )
    try:
        products = [_read(record, root) for record in content["products"]]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: damaged ({type(error).__name__}: {error}); run: ovarnet prepare catalogue "
            f"--root {root}"
        ) from None
    return Catalogue(products, str(root))


def write_prepared(root: str | Path, products: Sequence[Product]) -> Path:
    """Write the prepared catalogue.

    Args:
        root: Folder of the catalogue; places of photos inside it are written relative to it.
        products: With group, split and boxes.

    Returns:
        The file.
    """
    path = Path(root) / PREPARED
    records = [_record(product, Path(root)) for product in products]
    write_json(path, {"format": FORMAT, "products": records}, indent=None)
    return path


def _record(product: Product, root: Path) -> dict[str, Any]:
    return {
        "id": product.id,
        "images": [os.path.relpath(image, root) for image in product.images],
        "title": product.title,
        "category": product.category,
        "subcategory": product.subcategory,
        "labels": product.labels,
        "group": product.group,
        "split": product.split,
        "boxes": product.boxes,
    }


def _read(record: dict[str, Any], root: Path) -> Product:
    if record["split"] not in SPLITS:
        raise ValueError(f"split {record['split']!r:.40}")
    return Product(
        id=str(record["id"]),
        images=tuple(os.path.normpath(root / image) for image in record["images"]),
        title=str(record["title"]),
        category=str(record["category"]),
        subcategory=str(record["subcategory"]),
        labels={str(name): str(value) for name, value in record["labels"].items()},
        group=str(record["group"]),
        split=record["split"],
        boxes=tuple((int(a), int(b), int(c), int(d)) for a, b, c, d in record["boxes"]),
    )

"""Fashion-Gen as published: an HDF5 file, whose rows of one product id are its views."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ovarnet.catalogue.product import Product
from ovarnet.errors import InputError
from ovarnet.io.hdf5_rows import IMAGES, open_hdf5, row_path
from ovarnet.io.skipped import Skipped

PRODUCT, TITLE = "input_productID", "input_description"
CATEGORY, SUBCATEGORY = "input_category", "input_subcategory"
LABELS = {"brand": "input_brand", "gender": "input_gender", "season": "input_season"}
"""Label column -> key; taken where the file has it."""
NEEDED = (IMAGES, PRODUCT, TITLE, CATEGORY, SUBCATEGORY)


def read_fashion_gen(path: str | Path, split: str, skipped: Skipped) -> list[Product]:
    """Read one file of Fashion-Gen.

    Rows are joined by the value of their product id, wherever they stand.

    Args:
        path: fashiongen_256_256_train.h5 or fashiongen_256_256_validation.h5.
        split: Of its products; "" where it is to be drawn.
        skipped: Notes products without a description.

    Returns:
        Products with all their views.

    Raises:
        InputError: h5py is not installed, or the file has another form.
    """
    file = open_hdf5(path)
    missing = [key for key in NEEDED if key not in file]
    if missing:
        raise InputError(f"{path}: no {missing[0]} in it; it has {', '.join(sorted(file))}")
    images = file[IMAGES]
    if images.dtype != np.uint8 or len(images.shape) != 4 or images.shape[3] != 3:
        raise InputError(
            f"{path}: {IMAGES} is {images.dtype} {tuple(images.shape)}; it must be uint8 (N, H, W, "
            "3)"
        )
    ids = np.asarray(file[PRODUCT]).reshape(-1).tolist()
    rows: dict[int, list[int]] = {}
    for row, name in enumerate(ids):
        rows.setdefault(name, []).append(row)

    keys = {"category": CATEGORY, "subcategory": SUBCATEGORY}
    keys |= {name: key for name, key in LABELS.items() if key in file}
    firsts = [views[0] for views in rows.values()]
    titles = _texts(file[TITLE], firsts)
    columns = {name: _texts(file[key], firsts) for name, key in keys.items()}

    products = []
    for position, (name, views) in enumerate(rows.items()):
        values = {column: texts[position] for column, texts in columns.items()}
        if not titles[position]:
            skipped.add("product without description", f"{PRODUCT} {name}")
            continue
        products.append(
            Product(
                id=str(name),
                images=tuple(row_path(path, row) for row in views),
                title=titles[position],
                category=values.pop("category"),
                subcategory=values.pop("subcategory"),
                labels={column: value for column, value in values.items() if value},
                group=str(name),
                split=split,
            )
        )
    return products


def _texts(dataset: Any, rows: Sequence[int]) -> list[str]:
    """Text of some rows; stored as latin-1 bytes of shape (N, 1), or (N,) in copies."""
    cells = np.asarray(dataset).reshape(len(dataset), -1)[:, 0]
    return [
        " ".join((cell.decode("latin-1") if isinstance(cell, bytes) else str(cell)).split())
        for cell in cells[list(rows)]
    ]

"""Write the drawn catalogue: products.csv and images/, whole or not at all."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path

from ovarnet.errors import InputError
from ovarnet.io.files import write_text
from ovarnet.scenes.catalogue.photos import product_photos
from ovarnet.scenes.catalogue.words import MENTIONED, product_words, split_of
from ovarnet.scenes.world.write import jpeg_bytes

TABLE, IMAGES = "products.csv", "images"
MOST_PRODUCTS = 20_000
"""Products that have attributes of their own within their subcategory."""
HEADER = ("id", "image", "title", "category", "subcategory", *MENTIONED, "split", "query")


def write_catalogue(
    root: str | Path,
    products: int,
    *,
    seed: int = 0,
    overwrite: bool = False,
    progress: Callable[[int], object] | None = None,
) -> int:
    """Write the catalogue under `root`; the same seed gives the same bytes.

    Args:
        root: Folder to write.
        products: How many; the 40 subcategories take turns.
        seed: Of every random number.
        overwrite: Replace a drawn catalogue that is there already.
        progress: Called with 1 after each product.

    Returns:
        The number of photos.

    Raises:
        InputError: The root exists (unless `overwrite`), or a number is out of range.
    """
    root = Path(root)
    if not 1 <= products <= MOST_PRODUCTS:
        raise InputError(f"--products {products}: give a number from 1 to {MOST_PRODUCTS:,}")
    if seed < 0:
        raise InputError(f"--seed {seed}: give a number that is not negative")
    unfinished = _claim(root, overwrite)
    try:
        rows = []
        for index in range(products):
            rows += _write_product(unfinished, products, seed, index)
            if progress is not None:
                progress(1)
        table = io.StringIO()
        csv.writer(table, lineterminator="\n").writerows([HEADER, *rows])
        write_text(unfinished / TABLE, table.getvalue())
        if root.exists():
            shutil.rmtree(root)
        unfinished.rename(root)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return len(rows)


def _write_product(root: Path, products: int, seed: int, index: int) -> list[list[str]]:
    """Write the photos of a product; returns a row of the table for each."""
    words, rows = product_words(seed, index), []
    for view, photo in enumerate(product_photos(words, seed, index)):
        name = f"{index:05d}_{view}.jpg"
        (root / IMAGES / name).write_bytes(jpeg_bytes(photo.image))
        labels = [words.labels[column] for column in MENTIONED]
        kind = words.category
        split = split_of(index, products)
        rows.append(
            [str(index), name, words.title, kind.parent, kind.name, *labels, split, words.query]
        )
    return rows


def _claim(root: Path, overwrite: bool) -> Path:
    """Check the target; make and return the temporary folder beside it."""
    if root.exists() and not overwrite:
        raise InputError(f"{root} exists already; give another --root or --overwrite to replace it")
    if root.exists() and not (root / TABLE).is_file():
        raise InputError(
            f"{root} is no catalogue (no {TABLE} in it), so it is not replaced; give another --root"
        )
    unfinished = root.with_name(root.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        (unfinished / IMAGES).mkdir(parents=True)
    except OSError as error:
        raise InputError(
            f"{root} cannot be written ({error.strerror}); give another --root"
        ) from None
    return unfinished

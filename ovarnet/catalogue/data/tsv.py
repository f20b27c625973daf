"""EasyNLP's table of pairs: no header, a text, a tab, and the image file in base64."""

from __future__ import annotations

from pathlib import Path

from ovarnet.catalogue.product import Product
from ovarnet.errors import InputError
from ovarnet.io.base64_cells import cell_path
from ovarnet.io.skipped import Skipped

LONGEST_TEXT = 10_000
"""Bytes; a longer first cell is an image, the columns are swapped."""


def read_tsv(path: str | Path, split: str, skipped: Skipped) -> list[Product]:
    """Read a table of pairs; each row is a product, whose id is its line.

    Args:
        path: The file.
        split: Of its products; "" where it is to be drawn.
        skipped: Notes rows that cannot be used, with the line.

    Returns:
        Products whose photos are cells of the file.

    Raises:
        InputError: The file cannot be read, or its columns are not text and image.
    """
    path, products, offset = Path(path), [], 0
    try:
        with path.open("rb") as file:
            for line, row in enumerate(file, start=1):
                product = _product(path, line, row, offset, split, skipped)
                if product is not None:
                    products.append(product)
                offset += len(row)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the file") from None
    return products


def _product(
    path: Path, line: int, row: bytes, offset: int, split: str, skipped: Skipped
) -> Product | None:
    cells = row.rstrip(b"\r\n").split(b"\t")
    if len(cells) != 2:
        raise InputError(
            f"{path} (line {line}): {len(cells)} columns; a row is a text, a tab and an image in "
            "base64"
        )
    text, image = cells
    if len(text) > LONGEST_TEXT:
        raise InputError(f"{path} (line {line}): the image comes first; the text must come first")
    try:
        title = " ".join(text.decode().split())
    except UnicodeDecodeError:
        raise InputError(f"{path} (line {line}): not UTF-8 text; save it as UTF-8") from None
    if not title or not image.strip():
        skipped.add("row without text or image", f"line {line}")
        return None
    place = cell_path(path, offset + len(text) + 1, len(image))
    return Product(f"{path.stem}:{line}", (place,), title, split=split)

"""Write the vectors of a catalogue's photos and titles, or of a table of texts or images.

With --root: photos.tsv and titles.tsv, a row per product. With --tsv, as EasyNLP's `predict`: one
column of texts, or of images in base64; the output has a row of numbers joined by tabs per row.

Examples:
  ovarnet catalogue embed --root shop --output vectors
  ovarnet catalogue embed --tsv texts.tsv --output vectors
  ovarnet catalogue embed --tsv photos.tsv --images --output vectors
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ovarnet.cli.commands.catalogue.index import add_encoder_arguments
from ovarnet.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

HELP = "write the vectors of photos and titles as tables"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet catalogue embed`."""
    parser.add_argument("--root", type=Path, help="a prepared catalogue")
    parser.add_argument("--tsv", type=Path, help="in its place: a table of one column, no header")
    parser.add_argument(
        "--images", action="store_true", help="the column of --tsv holds images in base64"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    add_encoder_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run `ovarnet catalogue embed`; returns the exit code."""
    if (args.root is None) == (args.tsv is None):
        raise InputError("give --root SHOP, or --tsv FILE")
    if args.images and not args.tsv:
        raise InputError("--images says what --tsv holds; give --tsv FILE too")
    from ovarnet.catalogue.data.prepared import open_catalogue
    from ovarnet.catalogue.modeling.encoder import load_encoder
    from ovarnet.cli.output_folder import writable
    from ovarnet.io.files import check_folder

    check_folder(args.output)
    catalogue = open_catalogue(args.root) if args.root else None
    rows = [] if catalogue else read_column(args.tsv)
    encoder = load_encoder(args.model, device=args.device, foreground=not args.whole_photos)
    if catalogue:
        tables = {
            "photos.tsv": encoder.photos(catalogue.products, progress="photos"),
            "titles.tsv": encoder.texts([product.title for product in catalogue]),
        }
    elif args.images:
        import torch

        from ovarnet.io.base64_cells import decode

        names = [f"{args.tsv} (line {line})" for line in range(1, len(rows) + 1)]
        photos = [
            encoder.photo(decode(row.encode(), name)) for row, name in zip(rows, names, strict=True)
        ]
        tables = {"photos.tsv": torch.stack(photos)}
    else:
        tables = {"titles.tsv": encoder.texts(rows)}
    with writable(args.output):
        for name, vectors in tables.items():
            write_vectors(args.output / name, vectors)
    print(f"written to {args.output}: {', '.join(tables)}")
    return 0


def read_column(path: Path) -> list[str]:
    """The rows of a table of one column.

    Raises:
        InputError: It cannot be read, has more columns, or a row is empty.
    """
    from ovarnet.io.files import read_text

    rows = read_text(path).splitlines()
    for line, row in enumerate(rows, start=1):
        if "\t" in row:
            raise InputError(f"{path} (line {line}): more than one column; give a table of one")
        if not row.strip():
            raise InputError(f"{path} (line {line}): an empty row; remove it")
    if not rows:
        raise InputError(f"{path}: the file is empty; give at least one row")
    return rows


def write_vectors(path: Path, vectors: Tensor) -> None:
    """Write (N, D) as N lines of numbers joined by tabs."""
    from ovarnet.io.files import write_text

    lines = ("\t".join(f"{number:.6g}" for number in row) for row in vectors.tolist())
    write_text(path, "\n".join(lines) + "\n")

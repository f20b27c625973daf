"""Score every product's own title and photo; the pairs that fit least are listed.

With --query-column the model reads a text of the customer too: the values of that label column.

Examples:
  ovarnet catalogue match --root ovarnet/examples/catalogue
  ovarnet catalogue match --root shop --model runs/catalogue/kaleido/checkpoint
  ovarnet catalogue match --root shop --model runs/catalogue/kaleido/checkpoint --output scores.tsv
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ovarnet.cli.argument_types import positive
from ovarnet.cli.model_arguments import add_device_argument
from ovarnet.errors import InputError

HELP = "score titles and photos, and list the pairs that do not fit"
WHOLE = "all"
MATCHER = "matcher"
"""Folder of a catalogue that brings its own model."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet catalogue match`."""
    parser.add_argument("--root", type=Path, required=True, help="a prepared catalogue")
    parser.add_argument(
        "--model",
        type=Path,
        help=f"checkpoint of stage catalogue_matcher (default: {MATCHER} in the catalogue, which "
        "the shipped example has)",
    )
    parser.add_argument(
        "--split", choices=(WHOLE, "train", "val", "test"), default=WHOLE, help="which products"
    )
    parser.add_argument(
        "--query-column", metavar="COLUMN", help="label column that holds what a customer asked"
    )
    parser.add_argument("--top", type=positive, default=10, help="how many pairs are listed")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="table of all scores: id, score, title"
    )
    add_device_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Run `ovarnet catalogue match`; returns the exit code."""
    from ovarnet.catalogue.data.prepared import open_catalogue
    from ovarnet.catalogue.matcher import load_matcher
    from ovarnet.catalogue.matching import match_products
    from ovarnet.cli.console import print_skipped
    from ovarnet.io.files import check_file, write_text
    from ovarnet.io.skipped import Skipped

    if args.output:
        check_file(args.output)
    catalogue = open_catalogue(args.root)
    products = list(catalogue if args.split == WHOLE else catalogue.split(args.split))
    queries = None
    if args.query_column:
        catalogue.values(args.query_column)  # names the columns there are
        queries = [product.all_labels.get(args.query_column, "") for product in products]
        if not all(queries):
            missing = products[queries.index("")].id
            raise InputError(
                f"{args.root}: product {missing!r} has no {args.query_column}; fill the column in"
            )
    if args.model is None and not (args.root / MATCHER).is_dir():
        raise InputError(f"{args.root} has no folder {MATCHER}; give --model CHECKPOINT")
    matcher = load_matcher(args.model or args.root / MATCHER, device=args.device)
    skipped = Skipped()
    found = match_products(matcher, products, queries, skipped=skipped)
    if args.output:
        rows = [
            f"{match.product.id}\t{match.score:.4f}\t{' '.join(match.product.title.split())}"
            for match in found
        ]
        write_text(args.output, "\n".join(["id\tscore\ttitle", *rows]) + "\n")
    print(f"least fitting of {len(found):,} pairs of title and photo:")
    for match in found[: args.top]:
        print(f"  {match.score:.3f}  {match.product.id}  {match.product.title}")
    return print_skipped(skipped, len(products))

"""Draft a title for each photo, with a model of stage catalogue_captions.

Writes titles.csv, a row per photo, and prints the titles.

Examples:
  ovarnet catalogue describe photo.jpg --model runs/catalogue/captions/checkpoint
  ovarnet catalogue describe shop/images --model runs/catalogue/captions/checkpoint --output out
"""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path

from ovarnet.cli.model_arguments import add_device_argument
from ovarnet.errors import InputError

HELP = "draft titles of product photos"
TITLES = "titles.csv"
AT_ONCE = 32


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet catalogue describe`."""
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE_OR_FOLDER", help="photos")
    parser.add_argument(
        "--model", type=Path, required=True, help="checkpoint of stage catalogue_captions"
    )
    parser.add_argument("--output", type=Path, default=Path("out"), help=f"folder of {TITLES}")
    add_device_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Run `ovarnet catalogue describe`; returns the exit code."""
    from tqdm import tqdm

    from ovarnet.catalogue.title_writer import load_title_writer
    from ovarnet.cli.console import print_skipped
    from ovarnet.cli.image_batches import find_images
    from ovarnet.cli.output_folder import writable
    from ovarnet.io.files import check_folder, write_text
    from ovarnet.io.skipped import Skipped

    check_folder(args.output)
    files, skipped = find_images(args.images, args.output), Skipped()
    writer = load_title_writer(args.model, device=args.device)
    titles: dict[Path | str, str] = {}
    starts = range(0, len(files), AT_ONCE)
    for start in tqdm(
        starts, desc="titles", unit="batch", disable=None if len(starts) > 1 else True
    ):
        part = files[start : start + AT_ONCE]
        try:
            titles |= dict(zip(part, writer.describe(part), strict=True))
        except InputError:  # one by one, so that only the bad photo is left out
            for file in part:
                try:
                    titles[file] = writer.describe([file])[0]
                except InputError as error:
                    skipped.add("image unreadable", str(error))
    if titles:
        table = io.StringIO()
        csv.writer(table, lineterminator="\n").writerows([("image", "title"), *titles.items()])
        with writable(args.output):
            write_text(args.output / TITLES, table.getvalue())
        for file, title in titles.items():
            print(f"{file}: {title}")
        print(f"written to {args.output / TITLES}: {len(titles)} titles")
    return print_skipped(skipped, len(files))

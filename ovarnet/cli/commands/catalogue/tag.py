"""Fill in tags: the best category and the attributes of the product on each photo, in any words.

The product is the photo's foreground. On photos of people or rooms, --regions tags every object
that the model detects instead. Writes tags.csv, a row per product or region.

Examples:
  ovarnet catalogue tag shop/images --categories "shirt, shoe" --attributes "red, striped"
  ovarnet catalogue tag street.jpg --regions --categories "person, bag" --attributes "red, leather"
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ovarnet.cli.argument_types import fraction
from ovarnet.cli.model_arguments import add_device_argument, add_model_arguments
from ovarnet.errors import InputError

if TYPE_CHECKING:
    from ovarnet.modeling.predictor import Predictor
    from ovarnet.structures import Detections

HELP = "fill in tags of product photos, in any words"
TAGS = "tags.csv"
HEADER = ("image", "x1", "y1", "x2", "y2", "category", "category_score", "attributes")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet catalogue tag`."""
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE_OR_FOLDER", help="photos")
    parser.add_argument("--categories", required=True, help="words, or a file of words")
    parser.add_argument("--attributes", default="", help="words, or a file of words")
    parser.add_argument(
        "--attribute-threshold", type=fraction, default=0.5, help="attributes below are left out"
    )
    parser.add_argument("--regions", action="store_true", help="tag every detected object")
    parser.add_argument("--output", type=Path, default=Path("out"), help=f"folder of {TAGS}")
    add_model_arguments(parser)
    add_device_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Run `ovarnet catalogue tag`; returns the exit code."""
    from tqdm import tqdm

    import ovarnet
    from ovarnet.cli.console import print_skipped
    from ovarnet.cli.image_batches import find_images
    from ovarnet.cli.output_folder import writable
    from ovarnet.io.files import write_text
    from ovarnet.io.skipped import Skipped
    from ovarnet.io.word_files import read_words

    categories = read_words(args.categories, "categories")
    attributes = read_words(args.attributes, "attributes") if args.attributes else []
    files, skipped = find_images(args.images, args.output), Skipped()
    model = ovarnet.load(args.model, proposer=args.proposer, device=args.device)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(HEADER)
    for file in tqdm(
        files, unit="photo", disable=None if len(files) > 1 else True, file=sys.stderr
    ):
        try:
            found = tag(model, file, categories, attributes, regions=args.regions)
        except InputError as error:
            skipped.add("image unreadable", str(error))
            continue
        writer.writerows(rows(file, found, args.attribute_threshold))
    if len(skipped) < len(files):
        with writable(args.output):
            write_text(args.output / TAGS, table.getvalue())
        print(f"written to {args.output / TAGS}: {table.getvalue().count(chr(10)) - 1} rows")
    return print_skipped(skipped, len(files))


def tag(
    model: Predictor,
    file: Path | str,
    categories: list[str],
    attributes: list[str],
    *,
    regions: bool,
) -> Detections:
    """Scores of a photo's foreground or, with `regions`, of the objects that are detected."""
    import torch

    from ovarnet.catalogue.modeling.foreground import foreground_box
    from ovarnet.io.images import read_image

    image = read_image(file)
    if regions:
        threshold = model.model.threshold
        found = model.detect(image, categories, attributes, threshold=threshold)
    else:
        box = torch.tensor([foreground_box(image)], dtype=torch.float32)
        found = model.detect(image, categories, attributes, boxes=box)
    return cast("Detections", found)  # of one image


def rows(file: Path | str, found: Detections, threshold: float) -> list[list[str]]:
    """A row of the table for each box."""
    made = []
    for position, box in enumerate(found.boxes.round().long().tolist()):
        scores = found.attribute_scores[position].tolist()
        ranked = sorted(zip(scores, found.attributes, strict=True), reverse=True)
        words = "; ".join(f"{word} {score:.2f}" for score, word in ranked if score >= threshold)
        best = float(found.category_scores[position].max())
        category = str(found.best_category[position])
        made.append([str(file), *map(str, box), category, f"{best:.3f}", words])
    return made

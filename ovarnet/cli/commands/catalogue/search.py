"""Find products by a phrase or by a photo, best first.

The phrase is encoded as it is, by the model of the index. A photo is cut to its foreground, or to
--box, such as one that `ovarnet find` printed. --where keeps products of a label only. --rerank
reads the 100 best with a matcher, which sees phrase and photo together, and sorts them anew.

Examples:
  ovarnet catalogue search ovarnet/examples/catalogue "a red striped mug"
  ovarnet catalogue search shop/index "running shoes" --top 10 --where color=Red --output found
  ovarnet catalogue search shop/index --image photo.jpg --box 40,60,180,220
  ovarnet catalogue search shop/index "red mug" --rerank runs/catalogue/kaleido/checkpoint
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ovarnet.cli.argument_types import positive
from ovarnet.cli.model_arguments import add_device_argument
from ovarnet.errors import InputError

if TYPE_CHECKING:
    from ovarnet.catalogue.product import Box
    from ovarnet.catalogue.search.index import Hit

HELP = 'find products by a phrase, such as "a red striped mug", or by a photo'
RESULTS, PICTURE = "found.json", "found.jpg"
DIGITS = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet catalogue search`."""
    parser.add_argument(
        "index", type=Path, help="folder of an index, or a catalogue that holds one"
    )
    parser.add_argument("phrase", nargs="?", help='what to find, in quotes: "a red striped mug"')
    parser.add_argument("--image", type=Path, metavar="FILE", help="in place of a phrase: a photo")
    parser.add_argument(
        "--box", metavar="X1,Y1,X2,Y2", help="of the photo, in pixels (default: its foreground)"
    )
    parser.add_argument("--top", type=positive, default=10, metavar="N", help="products wanted")
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="only products with this label; may be given again",
    )
    parser.add_argument(
        "--rerank",
        type=Path,
        metavar="MATCHER",
        help="checkpoint of stage catalogue_matcher that sorts the best products of a phrase",
    )
    parser.add_argument("--model", help="the model of the index (default: the name it was made by)")
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help=f"write {RESULTS} and the picture {PICTURE}"
    )
    add_device_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Run `ovarnet catalogue search`; returns the exit code."""
    check_query(args)
    box, where = read_box(args.box), read_where(args.where)
    from ovarnet.catalogue.matcher import load_matcher
    from ovarnet.catalogue.search.index import load_index
    from ovarnet.catalogue.search.product_finder import open_finder
    from ovarnet.catalogue.search.rerank import CANDIDATES, rerank
    from ovarnet.io.files import check_folder

    if args.output:
        check_folder(args.output)
    index = load_index(args.index)
    index.rows_where(where)  # unknown labels fail before the model is opened
    finder = open_finder(index, args.model, args.device)
    matcher = load_matcher(args.rerank, device=args.device) if args.rerank else None
    if args.image:
        hits = finder.by_photo(args.image, args.top, where, box)
    elif matcher is not None:
        found = finder.by_phrase(args.phrase, max(args.top, CANDIDATES), where)
        scale = finder.encoder.clip.logit_scale.exp().item()
        best = rerank(matcher, args.phrase, found[:CANDIDATES], scale)
        hits = [*best, *found[CANDIDATES:]][: args.top]
    else:
        hits = finder.by_phrase(args.phrase, args.top, where)
    for rank, hit in enumerate(hits, start=1):
        labels = ", ".join(hit.product.all_labels.values())
        print(f"{rank:3d}  {hit.score:.3f}  {hit.product.title}  [{labels}]  {hit.product.image}")
    if not hits:
        print("no product has all of these labels")
    if args.output:
        write(args, hits)
        print(f"written to {args.output}: {RESULTS} and {PICTURE}")
    return 0


def check_query(args: argparse.Namespace) -> None:
    """A phrase or a photo, not both.

    Raises:
        InputError: Neither, both, an empty phrase, a box without a photo, or re-ranking without a
            phrase.
    """
    if (args.phrase is None) == (args.image is None):
        raise InputError('give a phrase, such as "a red mug", or --image FILE')
    if args.phrase is not None and not args.phrase.strip():
        raise InputError('the phrase is empty; write what to find, such as "a red mug"')
    if args.box and not args.image:
        raise InputError("--box is a part of a photo; give --image FILE too")
    if args.rerank and args.image:
        raise InputError("--rerank reads a phrase with each photo; give a phrase, not --image")


def read_box(text: str | None) -> Box | None:
    """Four whole numbers.

    Raises:
        InputError: Another form, or a box without area.
    """
    if text is None:
        return None
    try:
        x1, y1, x2, y2 = (round(float(side)) for side in text.split(","))
    except (ValueError, OverflowError):
        raise InputError(f"--box {text!r:.60}: give x1,y1,x2,y2 in pixels") from None
    if not (0 <= x1 < x2 and 0 <= y1 < y2):
        raise InputError(f"--box {text}: it has no area; x1 < x2 and y1 < y2 are needed")
    return x1, y1, x2, y2


def read_where(pairs: list[str]) -> dict[str, str]:
    """COLUMN=VALUE pairs.

    Raises:
        InputError: Another form, or a column twice.
    """
    where: dict[str, str] = {}
    for pair in pairs:
        column, equals, value = (part.strip() for part in pair.partition("="))
        if not (column and equals and value):
            raise InputError(f"--where {pair!r:.60}: write COLUMN=VALUE, such as color=Red")
        if column in where:
            raise InputError(f"--where {column} is given twice; a product has one value of a label")
        where[column] = value
    return where


def write(args: argparse.Namespace, hits: list[Hit]) -> None:
    """Write the results as JSON and as a contact sheet."""
    from ovarnet.catalogue.search.contact_sheet import contact_sheet
    from ovarnet.cli.output_folder import writable
    from ovarnet.drawing.image_file import write_image
    from ovarnet.io.files import write_json

    query = args.phrase or str(args.image)
    results = [
        {
            "rank": rank,
            "score": round(hit.score, DIGITS),
            "id": hit.product.id,
            "title": hit.product.title,
            "labels": hit.product.all_labels,
            "image": hit.product.image,
        }
        for rank, hit in enumerate(hits, start=1)
    ]
    with writable(args.output):
        write_json(args.output / RESULTS, {"query": query, "results": results}, indent=1)
        write_image(args.output / PICTURE, contact_sheet([(query, hits)]))

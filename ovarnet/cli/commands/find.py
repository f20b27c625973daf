"""Find the boxes that a phrase means, in one image or over a whole folder, best first.

The phrase is read as a category (its noun) and attributes (what it says of it), in any words; boxes are ranked by both together.
Prints the best boxes, and writes found.json (all of them, with the score of every word) and NAME.jpg for each image that holds one.

Examples:
  ovarnet find photo.jpg "a small red striped mug"
  ovarnet find photos/ "the car that is white" --top 10 --output out     the best 10 of all images
  ovarnet find photo.jpg "something red"                                 no category: any red thing
  ovarnet find photos/ "wooden chair" --model clip-attr:ViT-B-16/openai --proposer torchvision

Words about another thing ("next to a car") and what is not wanted ("not red") cannot be scored; the command says what it left out.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NamedTuple

from ovarnet.cli.argument_types import positive
from ovarnet.cli.image_batches import batches, each_image, find_images
from ovarnet.cli.model_arguments import add_device_argument, add_model_arguments
from ovarnet.cli.output_folder import of_one_file, output_names, refuse_to_replace, writable
from ovarnet.errors import InputError

HELP = 'find what a phrase means, such as "a small red striped mug"'
RESULTS = "found.json"
DIGITS = 4


class Place(NamedTuple):
    """One box of one image. found: a single row."""

    file: Path
    found: object

    @property
    def score(self) -> float:
        return float(self.found.scores[0])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "images",
        nargs="+",
        type=Path,
        metavar="IMAGE_OR_FOLDER",
        help="image files, and folders to search for images",
    )
    parser.add_argument(
        "phrase", metavar="PHRASE", help='what to find, in quotes: "a small red striped mug"'
    )
    parser.add_argument(
        "--top",
        type=positive,
        default=5,
        metavar="N",
        help="how many boxes are wanted, of all images together",
    )
    parser.add_argument(
        "--output", type=Path, default=Path("out"), help="folder for pictures and data"
    )
    add_model_arguments(parser)
    parser.add_argument(
        "--batch-size", type=positive, default=8, metavar="N", help="images per forward pass"
    )
    add_device_argument(parser)


def run(args: argparse.Namespace) -> int:
    import ovarnet
    from ovarnet.captions.query import read_query

    refuse_image_as_phrase(args.phrase)
    files = find_images(args.images, args.output)
    pictures = {
        file: args.output / f"{name}.jpg"
        for file, name in zip(files, output_names(files), strict=True)
    }
    refuse_to_replace(files, list(pictures.values()))
    read_query(args.phrase)  # a phrase that cannot be read fails here, before any work
    model = ovarnet.load(args.model, proposer=args.proposer, device=args.device)
    phrase = model.encode_phrase(args.phrase)  # one too long fails here, not at each image
    query = phrase.query
    print(reading(query))

    best, failures = search(model, phrase, args, files)
    if failures and len(files) == 1:
        raise InputError(failures[0])
    if len(failures) < len(files):
        with writable(args.output):
            failures += write(args, query, best, pictures)
        report(best, args.output)
    if failures:
        print(
            f"error: {len(failures)} of {len(files)} images could not be used:",
            *failures,
            sep="\n  ",
            file=sys.stderr,
        )
    return 2 if failures else 0


def refuse_image_as_phrase(phrase: str) -> None:
    """The last argument is the phrase; who forgets it would search for the name of a file."""
    if os.path.isfile(phrase) or (
        "/" in phrase and os.path.exists(phrase)
    ):  # not Path's: they fail for a long phrase
        raise InputError(
            f'{phrase} is a file or folder, not a phrase; write: ovarnet find {phrase} "a red mug"'
        )


def reading(query) -> str:
    """How the phrase was understood, in one line."""
    parts = [f"category {query.category}" if query.category else "no category"]
    if query.attributes:
        parts.append("attributes " + ", ".join(query.attributes))
    if query.unused:
        parts.append("left out: " + " ".join(query.unused))
    return f"looking for: {'; '.join(parts)}"


def search(model, phrase, args, files: list[Path]) -> tuple[list[Place], list[str]]:
    """The best `--top` boxes of all images, best first, and what went wrong with images that could
    not be used.
    """
    from tqdm import tqdm

    best, failures = [], []

    def skip(file: Path, error: InputError) -> None:
        failures.append(str(error))

    def run_find(images: list, boxes: None):
        return model.find(images, phrase, batch_size=len(images))

    with tqdm(
        total=len(files), unit="image", disable=None if len(files) > 1 else True, file=sys.stderr
    ) as bar:
        for batch in batches(files, None, args.batch_size, skip):
            for (file, _, _), found in each_image(run_find, batch, skip):
                best += [Place(file, found[[row]]) for row in range(min(args.top, len(found)))]
            best = sorted(best, key=lambda place: -place.score)[: args.top]
            bar.update(len(batch))
    return best, failures


def write(args, query, best: list[Place], pictures: dict[Path, Path]) -> list[str]:
    """found.json, and the pictures of the images that hold one of the best boxes. Returns which
    pictures could not be written, and why.
    """
    from ovarnet.drawing.detections import draw
    from ovarnet.drawing.image_file import write_image
    from ovarnet.io.files import write_json
    from ovarnet.io.images import read_image

    failures = []
    for file in dict.fromkeys(place.file for place in best):
        ranks = [rank for rank, place in enumerate(best, start=1) if place.file == file]
        try:
            write_image(
                pictures[file],
                draw(
                    read_image(file),
                    joined([best[rank - 1].found for rank in ranks]),
                    ranks=ranks,
                    top_attributes=len(query.attributes),
                    attribute_threshold=0.0,
                ),
            )
        except OSError as error:
            failures.append(str(of_one_file(error, file)))
    results = [record(rank, place, query) for rank, place in enumerate(best, start=1)]
    write_json(
        args.output / RESULTS,
        {
            "phrase": args.phrase,
            "category": query.category,
            "attributes": list(query.attributes),
            "unused": list(query.unused),
            "results": results,
        },
        indent=1,
    )
    return failures


def joined(rows: list):
    """Detections with one row each -> one with all of them."""
    import torch

    from ovarnet.structures import Detections

    fields = ("boxes", "scores", "category_scores", "attribute_scores")
    return Detections(
        *(torch.cat([getattr(row, field) for row in rows]) for field in fields),
        rows[0].categories,
        rows[0].attributes,
    )


def record(rank: int, place: Place, query) -> dict:
    """One entry of "results": box x1, y1, x2, y2 in pixels of the image; the probabilities that the
    score is made of.
    """
    found = place.found
    category, attributes = (
        [round(score, DIGITS) for score in row[0].tolist()]
        for row in (found.category_scores, found.attribute_scores)
    )
    return {
        "rank": rank,
        "file": str(place.file),
        "box": [round(side, 2) for side in found.boxes[0].tolist()],
        "score": round(place.score, DIGITS),
        "category_score": category[0] if category else None,
        "attribute_scores": dict(zip(query.attributes, attributes, strict=True)),
    }


def report(best: list[Place], output: Path) -> None:
    from ovarnet.drawing.label_text import summary

    for rank, place in enumerate(best, start=1):
        box = " ".join(str(round(side)) for side in place.found.boxes[0].tolist())
        text = summary(place.found, len(place.found.attributes), attribute_threshold=0.0)[0]
        print(f"{rank:3d}  {text}  [{box}]  {place.file}")
    if not best:
        print("no box was found in any image")
    pictures = len({place.file for place in best})
    print(
        f"written to {output}: {RESULTS}, and a .jpg for each of {pictures} image(s) that hold "
        "one of the best boxes"
    )

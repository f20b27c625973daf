"""Find the boxes that a phrase means, in one image or over a whole folder, best first.

The phrase is parsed into a category (its noun) and attributes (what it says of the noun), in any
words; boxes are ranked by both together. Prints the best boxes, and writes found.json (all of them,
with the score of every word) and NAME.jpg for each image that holds one. --save-crops writes each
box as a picture of its own.

Examples:
  ovarnet find photo.jpg "a small red striped mug"
  ovarnet find photos/ "the car that is white" --top 10 --output out     the best 10 of all images
  ovarnet find https://example.org/photo.jpg "old/*.png" "red mug"       an address, a pattern
  ovarnet find photo.jpg "something red"                                 any category
  ovarnet find photo.jpg --category person --attributes "wearing a red hat, tall"
  ovarnet find photos/ "wooden chair" --model clip-attr:ViT-B-16/openai --proposer torchvision

Words about another thing ("next to a car"), about a place ("leftmost") and what is not wanted ("not
red") are not scored; the command says what it left out. With --category and --attributes, nothing
is parsed: each word is scored as it is.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from ovarnet.cli.argument_types import positive
from ovarnet.cli.image_batches import batches, each_image, find_images
from ovarnet.cli.image_sources import SOURCES_HELP, Source, is_source
from ovarnet.cli.model_arguments import add_device_argument, add_model_arguments
from ovarnet.cli.output_folder import (
    CROPS,
    of_one_file,
    output_names,
    refuse_inputs_in,
    refuse_to_replace,
    writable,
)
from ovarnet.cli.suppression_arguments import add_suppression_arguments, suppression_options
from ovarnet.cli.word_arguments import add_vocabulary_argument, read_competing_words
from ovarnet.errors import InputError
from ovarnet.io.download import is_url

if TYPE_CHECKING:
    from ovarnet.captions.query import Query
    from ovarnet.modeling.phrase_ranking import PhraseRanker
    from ovarnet.modeling.predictor import Predictor
    from ovarnet.structures import Detections

HELP = 'find what a phrase means, such as "a small red striped mug"'
RESULTS = "found.json"
DIGITS = 4


class Place(NamedTuple):
    """One box of one image; `found` has a single row."""

    file: Source
    found: Detections

    @property
    def score(self) -> float:
        """The score of the box, in [0, 1]."""
        return float(self.found.scores[0])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet find`."""
    parser.add_argument(
        "images",
        nargs="+",
        metavar="IMAGE",
        help=SOURCES_HELP,
    )
    phrase = parser.add_argument(
        "phrase", metavar="PHRASE", help='what to find, in quotes: "a small red striped mug"'
    )

    class InPlaceOfPhrase(argparse.Action):
        """Stores an option with which no phrase is required."""

        def __call__(self, _parser, namespace, values, _option=None):
            setattr(namespace, self.dest, values)
            phrase.required = False

    parser.add_argument(
        "--category",
        action=InPlaceOfPhrase,
        metavar="WORD",
        help='in place of a phrase: the category, such as "mug"',
    )
    parser.add_argument(
        "--attributes",
        action=InPlaceOfPhrase,
        metavar="WORDS",
        help='in place of a phrase: attributes such as "red, striped", or a file of words',
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
    parser.add_argument(
        "--save-crops",
        action="store_true",
        help=f"write each of the best boxes as {CROPS}/NAME_RANK_CATEGORY.jpg too",
    )
    add_vocabulary_argument(parser, "words that compete with those of the phrase")
    add_suppression_arguments(parser)
    add_model_arguments(parser)
    parser.add_argument(
        "--batch-size", type=positive, default=8, metavar="N", help="images per forward pass"
    )
    add_device_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Run `ovarnet find`; returns the exit code."""
    import ovarnet

    phrase, images = read_arguments(args)
    competing = read_competing_words(args.vocabulary)
    files = find_images(images, args.output)
    pictures = {
        file: args.output / f"{name}.jpg"
        for file, name in zip(files, output_names(files), strict=True)
    }
    refuse_to_replace(files, list(pictures.values()))
    if args.save_crops:
        refuse_inputs_in(args.output / CROPS, files)
    model = ovarnet.load(args.model, proposer=args.proposer, device=args.device)
    # a phrase that is too long fails here, not at each image
    vocabulary = None if competing is None else competing.encode(model)
    ranker = model.encode_phrase(phrase, vocabulary=vocabulary)
    print(describe(ranker.query))

    best, failures = search(model, ranker, args, files)
    if failures and len(files) == 1:
        raise InputError(failures[0])
    if len(failures) < len(files):
        with writable(args.output):
            text = phrase if isinstance(phrase, str) else None
            failures += write(args, text, ranker.query, best, pictures)
        report(best, args)
    if failures:
        print(
            f"error: {len(failures)} of {len(files)} images could not be used:",
            *failures,
            sep="\n  ",
            file=sys.stderr,
        )
    return 2 if failures else 0


def read_arguments(args: argparse.Namespace) -> tuple[str | Query, list[str]]:
    """What to find, and where, before any work.

    Returns:
        The phrase, or the query that --category and --attributes name; the images as written.

    Raises:
        InputError: A phrase that cannot be used, a phrase beside the options, or no words at all.
    """
    from ovarnet.captions.query import named_query, read_query
    from ovarnet.io.word_files import read_words

    images = list(args.images)
    if args.category is None and args.attributes is None:
        refuse_image_as_phrase(args.phrase)
        read_query(args.phrase)
        return args.phrase, images

    if args.phrase is not None:  # argparse takes the last of several images for it
        if not is_source(args.phrase):
            raise InputError(
                f"{args.phrase!r} is no image or folder; give a phrase, or --category and "
                "--attributes, not both"
            )
        images.append(args.phrase)
    attributes = [] if args.attributes is None else read_words(args.attributes, "attributes")
    return named_query(args.category, attributes), images


def refuse_image_as_phrase(phrase: str) -> None:
    """The last argument is the phrase; without it, a file would be taken for one."""
    # not Path's own tests: they fail for a long phrase
    if is_url(phrase) or os.path.isfile(phrase) or ("/" in phrase and os.path.exists(phrase)):
        raise InputError(
            f"{phrase} is an image or folder, not a phrase; write: "
            f'ovarnet find {phrase} "a red mug"'
        )


def describe(query: Query) -> str:
    """How the phrase was parsed, in one line."""
    parts = [f"category {query.category}" if query.category else "no category"]
    if query.attributes:
        parts.append("attributes " + ", ".join(query.attributes))
    if query.unused:
        parts.append("left out: " + ", ".join(query.unused))
    return f"looking for: {'; '.join(parts)}"


def search(
    model: Predictor, ranker: PhraseRanker, args: argparse.Namespace, files: list[Source]
) -> tuple[list[Place], list[str]]:
    """Rank the boxes of all images.

    Returns:
        The best `--top` boxes of all images together, best first; what went wrong with the images
        that could not be used.
    """
    from tqdm import tqdm

    best: list[Place] = []
    failures: list[str] = []

    def skip(_file: Source, error: InputError) -> None:
        failures.append(str(error))

    options = suppression_options(args)

    def run_find(images: list, _boxes: list | None) -> list[Detections]:
        return cast(
            "list[Detections]", model.find(images, ranker, batch_size=len(images), **options)
        )

    with tqdm(
        total=len(files), unit="image", disable=None if len(files) > 1 else True, file=sys.stderr
    ) as bar:
        for batch in batches(files, None, args.batch_size, skip):
            for (file, _, _), found in each_image(run_find, batch, skip):
                best += [Place(file, found[[row]]) for row in range(min(args.top, len(found)))]
            best = sorted(best, key=lambda place: -place.score)[: args.top]
            bar.update(len(batch))
    return best, failures


def write(
    args: argparse.Namespace,
    phrase: str | None,
    query: Query,
    best: list[Place],
    pictures: dict[Source, Path],
) -> list[str]:
    """Write found.json, and the pictures of the images that hold one of the best boxes.

    Returns:
        Which pictures could not be written, and why.
    """
    from ovarnet.io.files import write_json

    crops = args.output / CROPS if args.save_crops else None
    failures = []
    for file in dict.fromkeys(place.file for place in best):
        ranks = [rank for rank, place in enumerate(best, start=1) if place.file == file]
        found = joined([best[rank - 1].found for rank in ranks])
        try:
            write_pictures(file, found, ranks, pictures[file], crops)
        except OSError as error:
            failures.append(str(of_one_file(error, file)))
    results = [record(rank, place, query) for rank, place in enumerate(best, start=1)]
    write_json(
        args.output / RESULTS,
        {
            "phrase": phrase,
            "category": query.category,
            "attributes": list(query.attributes),
            "unused": list(query.unused),
            "results": results,
        },
        indent=1,
    )
    return failures


def write_pictures(
    file: Source, found: Detections, ranks: list[int], picture: Path, crops: Path | None
) -> None:
    """Write the picture of one image and, into the folder `crops`, each of its best boxes."""
    from ovarnet.drawing.crops import write_crops
    from ovarnet.io.images import read_image

    image = read_image(file)
    found.save(
        image, picture, ranks=ranks, top_attributes=len(found.attributes), attribute_threshold=0.0
    )
    if crops:
        write_crops(crops, picture.stem, image, found, numbers=ranks)


def joined(rows: list[Detections]) -> Detections:
    """Detections with one row each -> one with all of them."""
    import torch

    from ovarnet.structures import Detections

    boxes, scores, category_scores, attribute_scores = (
        torch.cat([getattr(row, field) for row in rows])
        for field in ("boxes", "scores", "category_scores", "attribute_scores")
    )
    return Detections(
        boxes,
        scores,
        category_scores,
        attribute_scores,
        rows[0].categories,
        rows[0].attributes,
    )


def record(rank: int, place: Place, query: Query) -> dict:
    """One entry of "results".

    Args:
        rank: From 1.
        place: The box.
        query: Names the attributes.

    Returns:
        The box (x1, y1, x2, y2 in pixels of the image), its score and the probabilities that the
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


def report(best: list[Place], args: argparse.Namespace) -> None:
    """Print the best boxes, one a line, and what was written."""
    from ovarnet.drawing.label_text import summary

    for rank, place in enumerate(best, start=1):
        box = " ".join(str(round(side)) for side in place.found.boxes[0].tolist())
        text = summary(place.found, len(place.found.attributes), attribute_threshold=0.0)[0]
        print(f"{rank:3d}  {text}  [{box}]  {place.file}")
    if not best:
        print("no box was found in any image")
    pictures = len({place.file for place in best})
    print(
        f"written to {args.output}: {RESULTS}, and a .jpg for each of {pictures} image(s) that "
        "hold one of the best boxes"
        + (f"; {len(best)} crop(s) in {args.output / CROPS}" if args.save_crops else "")
    )

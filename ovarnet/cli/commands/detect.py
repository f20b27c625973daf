"""Detect objects in images and score every category and attribute word you name.

Writes NAME.jpg (the picture with boxes) and NAME.json (all scores) for each image, and
detections.json, COCO results over all images with the attributes of every box. --save-crops writes
each box as a picture of its own.

Examples:
  ovarnet detect photo.jpg --categories "mug, chair" --attributes "red, striped" --output out
  ovarnet detect photos/ --categories words.txt --attributes ""      categories only
  ovarnet detect photo.jpg --boxes boxes.json                        score your own boxes
  ovarnet detect https://example.org/photo.jpg "more/**/*.png"       an address, a pattern
  find photos -newer last.txt -name "*.jpg" | ovarnet detect -       a list of files
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovarnet.cli.argument_types import count, fraction, positive
from ovarnet.cli.image_batches import batches, each_image, find_images
from ovarnet.cli.image_sources import SOURCES_HELP, Source
from ovarnet.cli.model_arguments import (
    add_device_argument,
    add_model_arguments,
    note_on_shipped_weights,
)
from ovarnet.cli.output_folder import (
    CROPS,
    DETECTIONS,
    of_one_file,
    output_names,
    refuse_inputs_in,
    refuse_to_replace,
    writable,
)
from ovarnet.cli.suppression_arguments import add_suppression_arguments, suppression_options
from ovarnet.cli.word_arguments import add_word_arguments, read_queried_words
from ovarnet.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from ovarnet.io.word_thresholds import WordThresholds
    from ovarnet.structures import Detections

HELP = "detect objects in images, with scores for your categories and attributes"
ATTRIBUTE_THRESHOLD = 0.5
SUMMARY_LINES = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet detect`."""
    parser.add_argument(
        "images",
        nargs="+",
        metavar="IMAGE",
        help=SOURCES_HELP,
    )
    add_model_arguments(parser)
    add_word_arguments(parser)
    parser.add_argument(
        "--boxes",
        type=Path,
        metavar="FILE",
        help='score these boxes, detect none: JSON {"name.jpg": [[x1, y1, x2, y2], ...]}, COCO '
        "instances or COCO results",
    )
    add_output_arguments(parser)
    add_suppression_arguments(parser)
    parser.add_argument(
        "--class-agnostic",
        action=argparse.BooleanOptionalAction,
        help="let boxes of different categories suppress each other at --nms-iou, or never "
        "(default: at 0.65, or at --nms-iou where that is higher)",
    )
    parser.add_argument(
        "--batch-size", type=positive, default=8, metavar="N", help="images per forward pass"
    )
    add_device_argument(parser)


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what decides which detections are kept and shown, and where they go."""
    parser.add_argument(
        "--output", type=Path, default=Path("out"), help="folder for pictures and data"
    )
    parser.add_argument(
        "--threshold",
        type=fraction,
        help="lowest detection score kept (default: the model's own, such as 0.3; "
        "with --boxes all are kept)",
    )
    parser.add_argument(
        "--thresholds",
        type=Path,
        metavar="FILE",
        help="thresholds of single words: JSON of ovarnet pick-thresholds; other words take "
        "--threshold and --attribute-threshold",
    )
    parser.add_argument(
        "--attribute-threshold",
        type=fraction,
        default=ATTRIBUTE_THRESHOLD,
        metavar="SCORE",
        help="lowest attribute score shown; the JSON files hold all scores",
    )
    parser.add_argument(
        "--top-attributes",
        type=count,
        default=3,
        metavar="N",
        help="most attributes shown per box, best first; the JSON files hold all",
    )
    parser.add_argument(
        "--limit",
        "--max-boxes",
        type=positive,
        metavar="N",
        help="most boxes kept per image, best first (default: 100, with --boxes all)",
    )
    parser.add_argument(
        "--save-crops",
        action="store_true",
        help=f"write each box kept as {CROPS}/NAME_NUMBER_CATEGORY.jpg too",
    )


def run(args: argparse.Namespace) -> int:
    """Detect in all images; returns 2 where some could not be used."""
    from tqdm import tqdm

    import ovarnet
    from ovarnet.proposals.box_file import BoxFile

    options = suppression_options(args)
    if args.boxes and options.keys() - {"limit"}:
        raise InputError(
            "--nms-iou, --containment and --class-agnostic choose among the boxes found; with "
            "--boxes, leave them out"
        )
    files = find_images(args.images, args.output)
    queried = read_queried_words(args)
    thresholds = read_thresholds(args)
    box_file = BoxFile(args.boxes, files) if args.boxes else None
    note_on_shipped_weights(args.model)
    model = ovarnet.load(args.model, proposer=args.proposer, device=args.device)

    words = queried.encode(model)
    if args.threshold is None:
        args.threshold = 0.0 if args.boxes else model.model.threshold
    options["threshold"], options["word_thresholds"] = args.threshold, thresholds

    def run_detect(images: list, boxes: list | None):
        return model.detect(
            images, boxes=boxes, vocabulary=words, batch_size=len(images), **options
        )

    output = Output(args, files, thresholds)
    with tqdm(
        total=len(files), unit="image", disable=None if len(files) > 1 else True, file=sys.stderr
    ) as bar:
        for batch in batches(files, box_file, args.batch_size, output.skip):
            for (file, image, _), found in each_image(run_detect, batch, output.skip):
                output.write(file, image, keep(found, args))
            bar.update(output.done - bar.n)
    return output.finish()


def read_thresholds(args: argparse.Namespace) -> WordThresholds:
    """The thresholds of single words; none without --thresholds."""
    from ovarnet.io.word_thresholds import WordThresholds, read_word_thresholds

    return read_word_thresholds(args.thresholds) if args.thresholds else WordThresholds()


def keep(found: Detections, args: argparse.Namespace) -> Detections:
    """The detections to write; what was found has been selected already.

    Boxes that the user gave keep their order and number unless --threshold or --limit is set.
    """
    if not args.boxes:
        return found
    found = found[found.scores >= args.threshold]
    if args.limit is None:
        return found
    return found[found.scores.argsort(descending=True, stable=True)[: args.limit]]


class Output:
    """The results of a run: writes each file whole or not at all, and collects failures.

    Args:
        args: The parsed command line.
        files: All images of the run, each once.
        thresholds: Of single words.
    """

    def __init__(self, args: argparse.Namespace, files: list[Source], thresholds: WordThresholds):
        from ovarnet.io.results import file_names, image_ids

        self.folder = args.output
        self.top_attributes = args.top_attributes
        self.attribute_threshold = args.attribute_threshold
        self.thresholds = thresholds
        self.names = dict(zip(files, output_names(files), strict=True))
        self.ids = dict(zip(files, image_ids(files), strict=True))
        self.file_names = dict(zip(files, file_names(files), strict=True))
        self.entries: list[dict] = []
        self.failures: list[str] = []
        self.written = 0
        self.crops = self.folder / CROPS if args.save_crops else None
        if self.crops:
            refuse_inputs_in(self.crops, files)
        refuse_to_replace(files, [self.folder / f"{name}.jpg" for name in self.names.values()])

    @property
    def done(self) -> int:
        """How many images are finished, with or without success."""
        return self.written + len(self.failures)

    def shown(self, found: Detections) -> dict[str, Any]:
        """Which attributes the picture and the summary show, for `Detections.save`."""
        return {
            "top_attributes": self.top_attributes,
            "attribute_threshold": self.thresholds.of_attributes(
                found.attributes, self.attribute_threshold
            ),
        }

    def skip(self, file: Source, error: InputError) -> None:
        """Record an image that cannot be used."""
        from tqdm import tqdm

        self.failures.append(str(error))
        if len(self.names) > 1:
            tqdm.write(f"skipped {file}", file=sys.stderr)

    def write(self, file: Source, image: np.ndarray, found: Detections) -> None:
        """Write the picture and the data of one image and print a summary of it.

        Args:
            file: The image file or URL.
            image: Its pixels (H, W, 3), uint8 RGB.
            found: Its detections, boxes in pixels of `image`.
        """
        from ovarnet.drawing.crops import write_crops
        from ovarnet.io.files import write_json
        from ovarnet.io.results import coco_results, image_record

        name = self.names[file]
        height, width = image.shape[:2]
        with writable(self.folder):
            try:
                write_json(self.folder / f"{name}.json", image_record(file, width, height, found))
                found.save(image, self.folder / f"{name}.jpg", **self.shown(found))
                if self.crops:
                    write_crops(self.crops, name, image, found)
            except OSError as error:
                self.skip(file, of_one_file(error, file))
                return
        self.entries += coco_results(self.file_names[file], self.ids[file], found)
        self.written += 1
        self._print_summary(file, found)

    def _print_summary(self, file: Source, found: Detections) -> None:
        from tqdm import tqdm

        from ovarnet.drawing.label_text import summary

        lines = summary(found, **self.shown(found))
        shown = lines[:SUMMARY_LINES]
        if len(lines) > SUMMARY_LINES:
            shown.append(f"... and {len(lines) - SUMMARY_LINES} more")
        head = f"{file}: {len(found)} {'object' if len(found) == 1 else 'objects'}"
        tqdm.write("\n".join([head, *(f"  {line}" for line in shown)]), file=sys.stdout)

    def finish(self) -> int:
        """Write the results over all images and report failures.

        Returns:
            The exit code: 0, or 2 where some images could not be used.

        Raises:
            InputError: The only image of the run could not be used.
        """
        from ovarnet.io.files import write_json

        if self.written:
            with writable(self.folder):
                write_json(self.folder / DETECTIONS, self.entries)
            print(
                f"written to {self.folder}: {DETECTIONS}, and a .jpg and a .json for each of "
                f"{self.written} image(s)"
                + (f"; {len(self.entries)} crop(s) in {self.crops}" if self.crops else "")
            )
        if not self.failures:
            return 0
        if len(self.names) == 1:
            raise InputError(self.failures[0])
        print(
            f"error: {len(self.failures)} of {len(self.names)} images could not be used:",
            *self.failures,
            sep="\n  ",
            file=sys.stderr,
        )
        return 2

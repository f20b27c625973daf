"""Find objects in images and score every category and attribute word you name.

Writes, for each image, NAME.jpg (the picture with boxes) and NAME.json (all scores); and detections.json, a COCO-style list over
all images with the attributes of every box.

Examples:
  ovarnet detect photo.jpg --categories "mug, chair" --attributes "red, striped, wooden" --output out
  ovarnet detect photos/ --categories words.txt --attributes ""         only categories
  ovarnet detect photo.jpg --boxes boxes.json                           score the boxes you bring
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ovarnet.cli.argument_types import count, fraction, positive
from ovarnet.cli.image_batches import batches, each_image, find_images
from ovarnet.cli.model_arguments import add_device_argument, add_model_arguments
from ovarnet.cli.output_folder import (
    DETECTIONS,
    of_one_file,
    output_names,
    refuse_to_replace,
    writable,
)
from ovarnet.errors import InputError

HELP = "find objects in images, with scores for your categories and attributes"
THRESHOLD = 0.3
SUMMARY_LINES = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "images",
        nargs="+",
        type=Path,
        metavar="IMAGE_OR_FOLDER",
        help="image files, and folders to search for images",
    )
    add_model_arguments(parser)
    parser.add_argument(
        "--categories",
        help='words such as "mug, chair", or a file of words; "" for none (default: the model\'s '
        "words)",
    )
    parser.add_argument(
        "--attributes",
        help='words such as "red, striped", or a file of words; "" for none (default: the '
        "model's words)",
    )
    parser.add_argument(
        "--boxes",
        type=Path,
        metavar="FILE",
        help='score these boxes, find none: JSON {"name.jpg": [[x1, y1, x2, y2], ...]}, COCO '
        "instances or COCO results",
    )
    parser.add_argument(
        "--output", type=Path, default=Path("out"), help="folder for pictures and data"
    )
    parser.add_argument(
        "--threshold",
        type=fraction,
        help=f"lowest detection score kept (default: {THRESHOLD}, with --boxes all are kept)",
    )
    parser.add_argument(
        "--top-attributes",
        type=count,
        default=3,
        metavar="N",
        help="attributes shown per box; the data holds all",
    )
    parser.add_argument(
        "--max-boxes",
        type=count,
        metavar="N",
        help="most boxes kept per image, best first (default: the model's limit)",
    )
    parser.add_argument(
        "--batch-size", type=positive, default=8, metavar="N", help="images per forward pass"
    )
    add_device_argument(parser)


def run(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    import ovarnet
    from ovarnet.proposals.box_file import BoxFile

    files = find_images(args.images, args.output)
    categories, attributes = read_words_asked(args)
    box_file = BoxFile(args.boxes, files) if args.boxes else None
    model = ovarnet.load(args.model, proposer=args.proposer, device=args.device)

    def run_detect(images: list, boxes: list | None):
        return model.detect(images, categories=categories, attributes=attributes, boxes=boxes)

    output = Output(args, files)
    with tqdm(
        total=len(files), unit="image", disable=None if len(files) > 1 else True, file=sys.stderr
    ) as bar:
        for batch in batches(files, box_file, args.batch_size, output.skip):
            for (file, image, _), found in each_image(run_detect, batch, output.skip):
                output.write(file, image, keep(found, args))
            bar.update(output.done - bar.n)
    return output.finish()


def read_words_asked(args) -> tuple[list[str] | None, list[str] | None]:
    """The words of --categories and --attributes; None where the model's own are wanted. Bad words
    fail here, before any work.
    """
    from ovarnet.io.word_files import read_words
    from ovarnet.vocabulary import Vocabulary

    categories = None if args.categories is None else read_words(args.categories, "categories")
    attributes = None if args.attributes is None else read_words(args.attributes, "attributes")
    if categories == [] and attributes == []:
        raise InputError("--categories and --attributes are both empty; name at least one word")
    Vocabulary.of(categories=categories or [], attributes=attributes or [])
    return categories, attributes


def keep(found, args):
    """Best first, above the threshold, at most --max-boxes; given boxes keep their order and number
    unless the user says otherwise.
    """
    threshold = args.threshold if args.threshold is not None else 0.0 if args.boxes else THRESHOLD
    found = found[found.scores >= threshold]
    if args.boxes and args.max_boxes is None:
        return found
    return found[found.scores.argsort(descending=True, stable=True)[: args.max_boxes]]


class Output:
    """Writes the results of a run, each file whole or not at all, and remembers what could not be
    done.
    """

    def __init__(self, args: argparse.Namespace, files: list[Path]):
        from ovarnet.io.results import file_names, image_ids

        self.folder, self.top_attributes = args.output, args.top_attributes
        self.names = dict(zip(files, output_names(files), strict=True))
        self.ids = dict(zip(files, image_ids(files), strict=True))
        self.file_names = dict(zip(files, file_names(files), strict=True))
        self.entries, self.failures, self.written = [], [], 0
        refuse_to_replace(files, [self.folder / f"{name}.jpg" for name in self.names.values()])

    @property
    def done(self) -> int:
        return self.written + len(self.failures)

    def skip(self, file: Path, error: InputError) -> None:
        from tqdm import tqdm

        self.failures.append(str(error))
        if len(self.names) > 1:
            tqdm.write(f"skipped {file}", file=sys.stderr)

    def write(self, file: Path, image, found) -> None:
        """The picture and the data of one image, and a few lines for the reader."""
        from tqdm import tqdm

        from ovarnet.drawing.detections import draw
        from ovarnet.drawing.image_file import write_image
        from ovarnet.drawing.label_text import summary
        from ovarnet.io.files import write_json
        from ovarnet.io.results import coco_results, image_record

        name = self.names[file]
        with writable(self.folder):
            try:
                write_json(
                    self.folder / f"{name}.json",
                    image_record(file, image.shape[1], image.shape[0], found),
                )
                write_image(
                    self.folder / f"{name}.jpg",
                    draw(image, found, top_attributes=self.top_attributes),
                )
            except OSError as error:
                self.skip(file, of_one_file(error, file))
                return
        self.entries += coco_results(self.file_names[file], self.ids[file], found)
        self.written += 1
        lines = summary(found, self.top_attributes)
        more = (
            [f"  ... and {len(lines) - SUMMARY_LINES} more"] if len(lines) > SUMMARY_LINES else []
        )
        head = f"{file}: {len(found)} {'object' if len(found) == 1 else 'objects'}"
        tqdm.write(
            "\n".join([head, *(f"  {line}" for line in lines[:SUMMARY_LINES]), *more]),
            file=sys.stdout,
        )

    def finish(self) -> int:
        """Write the list over all images; report the images that failed. Returns the exit code."""
        from ovarnet.io.files import write_json

        if self.written:
            with writable(self.folder):
                write_json(self.folder / DETECTIONS, self.entries)
            print(
                f"written to {self.folder}: {DETECTIONS}, and a .jpg and a .json for each of "
                f"{self.written} image(s)"
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

"""Convert what `ovarnet detect` found, or a data set, into the label files of another tool.

Attributes are kept where the format can hold them (all but yolo). docs/formats.md shows the files
of each format and how its tool reads them.

Examples:
  ovarnet convert out --to cvat --output for_cvat
  ovarnet convert out --to yolo --output labels --attribute-threshold 0.7 --copy-images
  ovarnet convert annotations.xml --from cvat --images images --to coco --output datasets/mine
  ovarnet convert datasets/voc --from voc --split val --to label-studio --output tasks
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ovarnet.cli.argument_types import fraction
from ovarnet.errors import InputError

if TYPE_CHECKING:
    from ovarnet.data.labelled import LabelledSplit
    from ovarnet.formats.labels import LabelledImage, LabelSet
    from ovarnet.io.skipped import Skipped

HELP = "convert detections or a data set into the label files of another tool"
DETECTIONS = "detections"
IMAGE_FOLDERS = {
    "coco": "images",
    "yolo": "images",
    "voc": "JPEGImages",
    "cvat": "images",
    "label-studio": "images",
    "fiftyone": "data",
}
"""Format -> the folder, beside its label files, in which it expects the images."""
SPLITS = ("train", "val", "test")
ATTRIBUTE_THRESHOLD = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet convert`."""
    parser.add_argument(
        "source",
        type=Path,
        metavar="SOURCE",
        help="the folder that ovarnet detect wrote; or a data set: its file (coco, cvat, "
        "label-studio, fiftyone) or its root folder (voc, yolo)",
    )
    parser.add_argument(
        "--from",
        dest="source_format",
        choices=(DETECTIONS, *IMAGE_FOLDERS),
        default=DETECTIONS,
        help="what SOURCE is",
    )
    parser.add_argument("--to", choices=tuple(IMAGE_FOLDERS), required=True, help="what to write")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FOLDER", help="where to write"
    )
    parser.add_argument(
        "--images",
        type=Path,
        metavar="FOLDER",
        help="where the images of a data set are (default: the folder in which its format expects "
        "them, beside SOURCE; not looked up where there is none)",
    )
    parser.add_argument(
        "--split",
        choices=SPLITS,
        default="train",
        help="which split to read of voc and yolo, and what the written one is called",
    )
    parser.add_argument(
        "--copy-images",
        action="store_true",
        help="copy the images to where the format expects them",
    )
    parser.add_argument(
        "--threshold",
        type=fraction,
        default=0.0,
        metavar="SCORE",
        help="of detections: lowest detection score converted",
    )
    parser.add_argument(
        "--attribute-threshold",
        type=fraction,
        default=ATTRIBUTE_THRESHOLD,
        metavar="SCORE",
        help="of detections: lowest score of an attribute that holds",
    )


def run(args: argparse.Namespace) -> int:
    """Read, convert and write; returns 2 where some images or boxes could not be used."""
    from ovarnet.io.files import check_folder
    from ovarnet.io.skipped import Skipped

    check_folder(args.output)
    refuse_own_folder(args)
    skipped = Skipped()
    labels = read_labels(args, skipped)
    labels = copy_images(labels, args, skipped)
    if not labels.images:
        raise InputError(f"{args.source}: nothing to convert: {skipped}")
    path = write_labels(labels, args)

    boxes = sum(len(image.objects) for image in labels.images)
    print(f"written to {path}: {boxes:,} boxes of {len(labels.images):,} images")
    if args.to == "yolo" and labels.attributes:
        print("note: yolo has no attributes; they are left out", file=sys.stderr)
    if not skipped:
        return 0
    print(f"error: {args.source}: left out: {skipped}", file=sys.stderr)
    return 2


def refuse_own_folder(args: argparse.Namespace) -> None:
    """Raise InputError where the files written could replace those that are read."""
    from ovarnet.io.files import real_path

    source, output = real_path(args.source), real_path(args.output)
    if output in (source, source.parent):
        raise InputError(
            f"--output {args.output}: is where {args.source} lies; choose another folder"
        )


def read_labels(args: argparse.Namespace, skipped: Skipped) -> LabelSet:
    """Read SOURCE.

    Raises:
        InputError: it cannot be read, or is of another form.
    """
    from ovarnet.formats.labels import labels_of_split

    if args.source_format == DETECTIONS:
        return read_detected(args)
    return labels_of_split(read_split(args, skipped))


def read_detected(args: argparse.Namespace) -> LabelSet:
    """The labels in the folder that `ovarnet detect` wrote, above --threshold."""
    from ovarnet.cli.output_folder import DETECTIONS as ALL_DETECTIONS
    from ovarnet.formats.labels import read_detections

    if not args.source.is_dir():
        raise InputError(
            f"{args.source}: no such folder; give the one that ovarnet detect wrote, or say with "
            "--from what the file is"
        )
    files = sorted(path for path in args.source.glob("*.json") if path.name != ALL_DETECTIONS)
    if not files:
        raise InputError(f"{args.source}: holds no NAME.json of ovarnet detect; run it first")
    labels = read_detections(files, args.attribute_threshold)
    images = [
        replace(
            image,
            objects=[found for found in image.objects if (found.score or 0.0) >= args.threshold],
        )
        for image in labels.images
    ]
    return replace(labels, images=images)


def read_split(args: argparse.Namespace, skipped: Skipped) -> LabelledSplit:
    """The usable annotations of a data set."""
    from ovarnet.data.custom import read_custom
    from ovarnet.data.voc import read_voc
    from ovarnet.data.yolo import read_yolo
    from ovarnet.formats.cvat import read_cvat
    from ovarnet.formats.fiftyone import read_fiftyone
    from ovarnet.formats.label_studio import read_label_studio

    if args.source_format == "voc":
        return read_voc(args.source, args.split, skipped)
    if args.source_format == "yolo":
        return read_yolo(args.source, args.split, skipped)
    readers: dict[str, Callable[[Path, Path | None, Skipped], LabelledSplit]] = {
        "coco": read_custom,
        "cvat": read_cvat,
        "label-studio": read_label_studio,
        "fiftyone": read_fiftyone,
    }
    folder = args.images or args.source.parent / IMAGE_FOLDERS[args.source_format]
    read = readers[args.source_format]
    return read(args.source, folder if args.images or folder.is_dir() else None, skipped)


def copy_images(labels: LabelSet, args: argparse.Namespace, skipped: Skipped) -> LabelSet:
    """Copy the images where that is wanted; those that cannot be copied are left out."""
    from tqdm import tqdm

    if not args.copy_images:
        return labels
    folder = args.output / IMAGE_FOLDERS[args.to]
    kept: list[LabelledImage] = []
    for image in tqdm(labels.images, unit="image", disable=None, file=sys.stderr):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(image.file, folder / image.name)
        except OSError as error:
            skipped.add("image cannot be copied", f"{image.file}: {error.strerror or error}")
            continue
        kept.append(image)
    return replace(labels, images=kept)


def write_labels(labels: LabelSet, args: argparse.Namespace) -> Path:
    """Write the files of --to; returns the one that names them all."""
    from ovarnet.cli.output_folder import writable
    from ovarnet.formats.coco import write_coco
    from ovarnet.formats.cvat import write_cvat
    from ovarnet.formats.fiftyone import write_fiftyone
    from ovarnet.formats.label_studio import write_label_studio
    from ovarnet.formats.voc import write_voc
    from ovarnet.formats.yolo import write_yolo

    write = {
        "coco": write_coco,
        "yolo": write_yolo,
        "voc": write_voc,
        "cvat": write_cvat,
        "label-studio": write_label_studio,
        "fiftyone": write_fiftyone,
    }[args.to]
    with writable(args.output):
        return write(labels, args.output, args.split)

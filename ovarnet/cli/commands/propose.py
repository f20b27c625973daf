r"""Class-agnostic boxes of many images, computed once and stored in shards.

example: ovarnet propose --proposer runs/scenes/proposer/checkpoint \
      --captions datasets/scenes/annotations/captions_scenes.json \
      --images datasets/scenes/images/captions --output runs/scenes/proposals

The output holds 00000.json, 00001.json, ...: {"name.jpg": [[x1, y1, x2, y2, score], ...], ...},
best first, pixels of the original image. proposer.json says what proposed them; training accepts
none of a proposer that may have seen boxes of novel categories (torchvision). A run that was
stopped is continued: what is stored is not computed again. Images that cannot be read are left out
and listed at the end (exit code 2); a later run tries them again.
"""

from __future__ import annotations

import argparse

from ovarnet.cli.argument_types import positive
from ovarnet.shipped import DEFAULT_PROPOSER

HELP = (
    "store class-agnostic proposals of many images, for training with captions or for any other use"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ovarnet propose`."""
    parser.add_argument(
        "--proposer",
        default=DEFAULT_PROPOSER,
        help="shipped weights, torchvision, detectron2:CONFIG,WEIGHTS (,base-only after it: "
        "trained on boxes of base categories alone), a checkpoint folder, or a JSON file",
    )
    parser.add_argument("--images", metavar="FOLDER", help="folder of the images")
    parser.add_argument(
        "--captions",
        metavar="FILE",
        help='COCO captions, a CC3M or CC12M table, or shards ("cc3m/*.tar", which hold '
        "their images): only those; default: every image of the folder",
    )
    parser.add_argument(
        "--output", required=True, metavar="FOLDER", help="where the shards are written"
    )
    parser.add_argument(
        "--limit",
        type=positive,
        default=100,
        help="best proposals kept per image, and its largest one",
    )
    parser.add_argument("--shard", type=positive, default=500, help="images per shard")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, ...")


def run(args: argparse.Namespace) -> int:
    """Write the proposals; returns the exit code."""
    from torch import nn

    from ovarnet.build import open_proposer
    from ovarnet.cli.console import print_skipped
    from ovarnet.device import pick_device
    from ovarnet.io.skipped import Skipped
    from ovarnet.proposals.store import write_proposals

    files = image_files(args.captions, args.images)
    proposer = open_proposer(args.proposer)
    if isinstance(proposer, nn.Module):
        proposer.to(pick_device(args.device))
    skipped = Skipped()
    done = write_proposals(
        proposer, files, args.output, shard=args.shard, limit=args.limit, skipped=skipped
    )
    print(f"{args.output}: proposals of {done:,} images now, {len(files):,} images in all")
    return print_skipped(skipped, len(files))


def image_files(captions: str | None, images: str | None) -> list[str]:
    """Paths of the images that the options name.

    Raises:
        InputError: No option names any, or the folder does not exist or holds none.
    """
    from pathlib import Path

    from ovarnet.data.captions import load_captions
    from ovarnet.errors import InputError
    from ovarnet.io.image_folders import list_images

    if images and not Path(images).is_dir():
        raise InputError(f"{images}: no such folder; --images needs the folder of the images")
    if captions:
        return [image.file for image in load_captions(captions, images)]
    if images:
        return [str(path) for path in list_images([images])]
    raise InputError(
        "propose: which images? give --images FOLDER, or --captions with shards that hold their "
        "images"
    )

"""Write the generated world: images, boxes, attribute labels and captions.

The same seed gives the same bytes.

Example:
  ovarnet generate scenes --root datasets/scenes
"""

from __future__ import annotations

import argparse

from ovarnet.cli.argument_types import count, positive

HELP = "write the generated world `scenes`: images, boxes, attribute labels and captions"

IMAGES = {"train": 8000, "val": 1000, "test": 1000, "captions": 4000, "photos": 90000}
"""Default number of images per split, those behind the shipped weights."""

SPLIT_HELP = {
    "train": "training scenes (boxes of base categories and labels of base attributes only)",
    "val": "validation scenes (all labels)",
    "test": "test scenes (all labels)",
    "captions": "whole scenes with captions only",
    "photos": "close-ups of one object with captions only, for the CLIP pre-training",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet generate`."""
    parser.add_argument("world", choices=["scenes"], help="which world")
    parser.add_argument("--root", required=True, help="folder to write; it must not exist yet")
    for split, images in IMAGES.items():
        parser.add_argument(
            f"--{split}", type=count, default=images, metavar="N", help=SPLIT_HELP[split]
        )
    parser.add_argument("--seed", type=int, default=0, help="seed of every random number")
    parser.add_argument("--workers", type=positive, default=2, help="processes that render")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace a world that is there already"
    )


def run(args: argparse.Namespace) -> int:
    """Write the world and print what it holds."""
    from tqdm import tqdm

    from ovarnet.scenes.world.write import write_world

    counts = {split: getattr(args, split) for split in IMAGES}
    with tqdm(total=sum(counts.values()), unit="image", smoothing=0.05, delay=0.5) as bar:
        size = write_world(
            args.root,
            counts,
            seed=args.seed,
            workers=args.workers,
            overwrite=args.overwrite,
            progress=bar.update,
        )
    for split, images in size.counts.items():
        boxes = f", {size.boxes[split]} boxes" if split in size.boxes else ""
        print(f"{split:9}{images:7} images{boxes}")
    print(
        f"speed per core (render, encode, write): {size.scenes_per_second:.0f} scenes/s, "
        f"{size.photos_per_second:.0f} photos/s"
    )
    print(f"written to {args.root}")
    return 0

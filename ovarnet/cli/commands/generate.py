"""Write the generated world: images, boxes, attribute labels and captions; or a drawn catalogue.

The same seed gives the same bytes. A catalogue has photos of single objects, with titles, labels,
splits and queries, as a shop would have them.

Examples:
  ovarnet generate scenes --root datasets/scenes
  ovarnet generate catalogue --root datasets/catalogue
"""

from __future__ import annotations

import argparse

from ovarnet.cli.argument_types import count, positive

HELP = "write the generated world `scenes`, or a drawn product catalogue"

IMAGES = {"train": 8000, "val": 1000, "test": 1000, "captions": 4000, "photos": 90000}
"""Default number of images per split, those behind the shipped weights."""

PRODUCTS = 7640
"""Default size of a catalogue: 75 training, 6 validation and 110 test products of each of the 40
subcategories."""

SPLIT_HELP = {
    "train": "training scenes (boxes of base categories and labels of base attributes only)",
    "val": "validation scenes (all labels)",
    "test": "test scenes (all labels)",
    "captions": "whole scenes with captions only",
    "photos": "close-ups of one object with captions only, for the CLIP pre-training",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet generate`."""
    parser.add_argument("world", choices=["scenes", "catalogue"], help="what to draw")
    parser.add_argument("--root", required=True, help="folder to write; it must not exist yet")
    for split, images in IMAGES.items():
        parser.add_argument(
            f"--{split}", type=count, default=images, metavar="N", help=SPLIT_HELP[split]
        )
    parser.add_argument(
        "--products", type=count, default=PRODUCTS, metavar="N", help="catalogue: how many products"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of every random number")
    parser.add_argument("--workers", type=positive, default=2, help="scenes: processes that render")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace a world that is there already"
    )


def run(args: argparse.Namespace) -> int:
    """Write the world and print what it holds."""
    return run_catalogue(args) if args.world == "catalogue" else run_scenes(args)


def run_catalogue(args: argparse.Namespace) -> int:
    """Write the drawn catalogue."""
    from tqdm import tqdm

    from ovarnet.scenes.catalogue.write import write_catalogue

    with tqdm(total=args.products, unit="product", delay=0.5) as bar:
        photos = write_catalogue(
            args.root,
            args.products,
            seed=args.seed,
            overwrite=args.overwrite,
            progress=bar.update,
        )
    print(f"{args.products:,} products with {photos:,} photos written to {args.root}")
    print(f"next: ovarnet prepare catalogue --root {args.root}")
    return 0


def run_scenes(args: argparse.Namespace) -> int:
    """Write the scenes."""
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

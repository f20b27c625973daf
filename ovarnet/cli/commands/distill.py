"""Train OvarNet, the one-stage model, by distillation from CLIP-Attr.

example: ovarnet distill configs/scenes/ovarnet.yaml --teacher runs/scenes/clip_attr/checkpoint
example: ovarnet distill configs/scenes/ovarnet.yaml distillation.kind=none output=runs/none
example: ovarnet distill configs/coco_vaw/ovarnet_rn50.yaml --dry-run
"""

from __future__ import annotations

import argparse

from ovarnet.cli.commands import train

HELP = "train OvarNet with CLIP-Attr as its teacher"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ovarnet distill`."""
    parser.add_argument(
        "config",
        nargs="?",
        metavar="CONFIG",
        help="a .yaml file such as configs/scenes/ovarnet.yaml",
    )
    parser.add_argument(
        "--teacher",
        metavar="FOLDER",
        help="CLIP-Attr: a checkpoint folder or a shipped name (default: the config's)",
    )
    train.add_run_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Train the stage "ovarnet"; returns the exit code."""
    if args.teacher is not None:
        args.overrides = [*args.overrides, f"teacher={args.teacher}"]
    return train.run(args, stage="ovarnet")

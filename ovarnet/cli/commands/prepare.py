"""Check a dataset, build its splits and indices, and say what is missing and where to get it.

Nothing is downloaded and no original file is changed; running it again writes the same files. Every
problem is listed in ROOT/prepared/problems.txt; sizes of images go to
ROOT/prepared/image_sizes.json. Exit code 2: something is missing or wrong.

Examples:
  ovarnet prepare coco-ovd --root datasets/coco    also writes the files of 48/17 and 48/32
  ovarnet prepare vaw --root datasets/vaw
  ovarnet prepare custom --root datasets/mine      your own boxes and words, see docs/own_data.md
  ovarnet prepare voc --root datasets/mine         the same as VOC XML files, or yolo
  ovarnet prepare catalogue --root shop            photos, titles and labels, see docs/catalogue.md
"""

from __future__ import annotations

import argparse
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from ovarnet.errors import InputError

if TYPE_CHECKING:
    from ovarnet.data.preparation.findings import Findings

HELP = "check a dataset, build its splits and indices, say what is missing and where to get it"
PREPARATION = {
    "coco-ovd": "ovarnet.data.preparation.coco_ovd",
    "vaw": "ovarnet.data.preparation.vaw",
    "ovad": "ovarnet.data.preparation.ovad",
    "lsa": "ovarnet.data.preparation.lsa",
    "captions": "ovarnet.data.preparation.captions",
    "custom": "ovarnet.data.preparation.custom",
    "voc": "ovarnet.data.preparation.voc",
    "yolo": "ovarnet.data.preparation.yolo",
    "catalogue": "ovarnet.catalogue.data.preparation",
    "scenes": "ovarnet.scenes.preparation",
}
"""Dataset -> the module that checks it, imported when needed."""


class Preparation(Protocol):
    """What a module of `PREPARATION` holds."""

    SPLITS: tuple[str, ...]

    @staticmethod
    def prepare(root: Path, splits: tuple[str, ...], sample: int, findings: Findings, /) -> None:
        """Check the dataset in a folder and report to `findings`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "dataset", choices=tuple(PREPARATION), metavar="NAME", help=", ".join(PREPARATION)
    )
    parser.add_argument(
        "--root",
        type=Path,
        required=True,
        help="folder of the dataset (datasets/README.md draws its tree)",
    )
    parser.add_argument(
        "--splits",
        nargs="+",
        metavar="SPLIT",
        help="only these (default: all that the dataset has)",
    )
    parser.add_argument(
        "--sample",
        type=int,
        default=100,
        metavar="N",
        help="how many images to decode, spread over all",
    )


def run(args: argparse.Namespace) -> int:
    """Check a dataset; returns the exit code, 2 while something is missing or wrong."""
    if args.sample < 0:
        raise InputError(f"--sample {args.sample}: give 0 or more images")
    if not args.root.is_dir():
        raise InputError(
            f"--root {args.root}: no such folder; make it and put the files there as "
            "datasets/README.md draws it"
        )
    from ovarnet.data.preparation.findings import PROBLEMS, Findings

    module = find_module(args.dataset)
    unknown = [split for split in args.splits or () if split not in module.SPLITS]
    if unknown:
        raise InputError(f"--splits {unknown[0]}: {args.dataset} has {', '.join(module.SPLITS)}")
    findings, started = Findings(args.root), time.perf_counter()
    try:
        check(module, args, findings)
        findings.save()
    except OSError as error:
        raise InputError(
            f"{error.filename or args.root}: {error.strerror}; make the folder readable and "
            "writable"
        ) from None
    print(summary(findings, args, time.perf_counter() - started))
    if findings.cases:
        print(f"all cases: {args.root / PROBLEMS}")
    return 0 if findings.complete else 2


def find_module(dataset: str) -> Preparation:
    """The module that checks a dataset.

    Raises:
        InputError: the generated world is not part of this installation.
    """
    try:
        return cast("Preparation", import_module(PREPARATION[dataset]))
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("ovarnet.scenes"):
            raise
        raise InputError(
            f"prepare {dataset} needs the package ovarnet.scenes, which is not part of this "
            "installation; install the full package"
        ) from None


def check(module: Preparation, args: argparse.Namespace, findings: Findings) -> None:
    """Run the checks; a file that cannot be used at all ends them with a problem."""
    try:
        module.prepare(args.root, tuple(args.splits or module.SPLITS), args.sample, findings)
    except InputError as error:
        findings.problem(str(error))


def summary(findings: Findings, args: argparse.Namespace, seconds: float) -> str:
    """The last line of the output."""
    missing, problems = len(findings.kinds("missing")), len(findings.kinds("problem"))
    if findings.complete:
        return f"{args.dataset} in {args.root} is ready ({seconds:.1f} s)"
    return (
        f"{args.dataset} in {args.root}: {missing} missing, {problems} kinds of problems "
        f"({seconds:.1f} s)"
    )

#!/usr/bin/env python
"""Put trained models into the package, in half precision.

    python tools/ship_weights.py --clip-attr FOLDER --ovarnet FOLDER

OvarNet becomes "scenes", its teacher CLIP-Attr "scenes-clip-attr". OvarNet encodes words with the
text tower of its teacher, so that tower is stored once, with the teacher.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ovarnet.build import SHIPPED
from ovarnet.checkpoint import load_checkpoint, save_checkpoint
from ovarnet.errors import InputError

MOST_MEGABYTES = 25


def ship(clip_attr: Path, ovarnet: Path) -> float:
    """Write both folders; returns their size in megabytes.

    Raises:
        InputError: OvarNet was distilled from another teacher.
    """
    teacher, student = load_checkpoint(clip_attr), load_checkpoint(ovarnet)
    clip, text = teacher.part("clip"), student.part("text")
    if any(not clip[name].equal(tensor) for name, tensor in text.items()):
        raise InputError(
            f"the text tower of {ovarnet} is not that of {clip_attr}; give the teacher that it "
            "was distilled from"
        )
    save_checkpoint(
        SHIPPED / "scenes-clip-attr",
        model=teacher.model,
        settings=teacher.settings,
        vocabulary=teacher.vocabulary,
        parts={name: teacher.part(name) for name in ("clip", "prompts", "proposer")},
        half=True,
    )
    save_checkpoint(
        SHIPPED / "scenes",
        model=student.model,
        vocabulary=student.vocabulary,
        half=True,
        settings={
            **student.settings,
            "stored_in": {"text": "../scenes-clip-attr/clip.safetensors"},
        },
        parts={name: student.part(name) for name in ("prompts", "detector")},
    )
    return sum(file.stat().st_size for file in SHIPPED.rglob("*.safetensors")) / 1e6


def main() -> int:
    """Ship what the command line names; 1 where it is too large, 2 for bad input."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--clip-attr",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="checkpoint of CLIP-Attr after step II",
    )
    parser.add_argument(
        "--ovarnet",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="checkpoint of OvarNet, distilled from it",
    )
    args = parser.parse_args()
    try:
        megabytes = ship(args.clip_attr, args.ovarnet)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{SHIPPED}: {megabytes:.1f} MB in all (at most {MOST_MEGABYTES})")
    return int(megabytes > MOST_MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())

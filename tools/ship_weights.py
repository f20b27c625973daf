#!/usr/bin/env python
"""Put trained models into the package, in half precision.

    python tools/ship_weights.py --name scenes --clip-attr FOLDER --ovarnet FOLDER

OvarNet becomes NAME, its teacher CLIP-Attr NAME-clip-attr. What both hold is stored once, with the
teacher: the text tower, and whatever OvarNet took over and did not train. With --int8 the text
tower is stored in 8 bits.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ovarnet.build import SHIPPED
from ovarnet.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from ovarnet.errors import InputError

MOST_MEGABYTES = 80
"""Of all shipped weights together."""
TEXT = "text.transformer."
"""Begins the names of the sentence encoder of a photo CLIP."""
TRUNK = "visual.trunk.net."
STEM_AND_STAGES = ("conv_stem.", "bn1.", "blocks.")
TAKEN_OVER = (
    *(("detector", f"backbone.trunk.net.{of}", "clip", TRUNK + of) for of in STEM_AND_STAGES),
    ("detector", "head.cells.stages.0.", "clip", TRUNK + "blocks.5."),
    ("detector", "head.cells.stages.1.", "clip", TRUNK + "blocks.6."),
    ("detector", "head.cells.pool.0.", "clip", TRUNK + "conv_head."),
    ("detector", "head.cells.pool.1.", "clip", TRUNK + "bn2."),
    ("detector", "head.cells.classifier.", "clip", TRUNK + "classifier."),
    ("detector", "backbone.fpn.", "proposer", "detector.backbone.fpn."),
    ("detector", "rpn.", "proposer", "detector.rpn."),
    ("detector", "box_stage.", "proposer", "detector.roi_heads."),
    *(
        ("proposer", f"detector.backbone.trunk.net.{of}", "clip", TRUNK + of)
        for of in STEM_AND_STAGES
    ),
)
"""(part, prefix there, part of the teacher, prefix there) of what may be the same in both."""


def ship(
    name: str,
    clip_attr: Path,
    ovarnet: Path,
    *,
    int8: bool = False,
    proposals: int | None = None,
) -> float:
    """Write both folders; returns the size of all shipped weights in megabytes.

    Args:
        name: of OvarNet.
        clip_attr: checkpoint of its teacher.
        ovarnet: its checkpoint.
        int8: store the text tower in 8 bits.
        proposals: of an image that the teacher embeds; None: the usual number.

    Raises:
        InputError: OvarNet was distilled from another teacher.
    """
    teacher, student = load_checkpoint(clip_attr), load_checkpoint(ovarnet)
    clip, text = teacher.part("clip"), student.part("text")
    if any(not clip[key].equal(tensor) for key, tensor in text.items()):
        raise InputError(
            f"the text tower of {ovarnet} is not that of {clip_attr}; give the teacher that it "
            "was distilled from"
        )
    # what OvarNet is distilled from knew words beyond those of its own labels, such as colours
    student.vocabulary = teacher.vocabulary
    if proposals is not None:
        teacher.settings["proposals"] = proposals
    folder = f"{name}-clip-attr"
    parts = {part: teacher.part(part) for part in _parts(teacher, "clip", "prompts", "proposer")}
    _write(SHIPPED / folder, teacher, parts, parts, ".", int8=int8)
    own = {part: student.part(part) for part in _parts(student, "prompts", "detector")}
    _write(SHIPPED / name, student, own, parts, f"../{folder}", int8=False)
    return sum(file.stat().st_size for file in SHIPPED.rglob("*.safetensors")) / 1e6


def _parts(checkpoint: Checkpoint, *names: str) -> list[str]:
    """Those that the folder has: prompts may be templates."""
    return [name for name in names if (checkpoint.folder / f"{name}.safetensors").is_file()]


def _write(
    folder: Path,
    checkpoint: Checkpoint,
    parts: Mapping[str, Mapping[str, Tensor]],
    teacher: Mapping[str, Mapping[str, Tensor]],
    where: str,
    *,
    int8: bool,
) -> None:
    """Write one folder, without the tensors that the teacher's files hold."""
    stored: dict[str, dict[str, Tensor]] = {}
    shared: dict[str, list[dict[str, str]]] = {}
    for part, state in parts.items():
        stored[part] = dict(state)
        for own, prefix, other, of in TAKEN_OVER:
            same = _same(state, prefix, teacher.get(other, {}), of) if own == part else []
            if same:
                rule = {"prefix": prefix, "file": f"{where}/{other}.safetensors", "of": of}
                shared.setdefault(part, []).append(rule)
                stored[part] = {key: state[key] for key in stored[part] if key not in same}
    settings = dict(checkpoint.settings) | ({"shared": shared} if shared else {})
    if checkpoint.model == "ovarnet":
        settings["stored_in"] = {"text": f"{where}/clip.safetensors"}
    save_checkpoint(
        folder,
        model=checkpoint.model,
        settings=settings,
        vocabulary=checkpoint.vocabulary,
        parts=stored,
        half=True,
        int8_prefix=TEXT if int8 else None,
    )


def _same(
    state: Mapping[str, Tensor], prefix: str, other: Mapping[str, Tensor], of: str
) -> list[str]:
    """Names of the tensors of `state` under `prefix`, if `other` has the same under `of`.

    They are compared as they are stored, in half precision.
    """
    own = {key.removeprefix(prefix): state[key] for key in state if key.startswith(prefix)}
    found = {key.removeprefix(of): other[key] for key in other if key.startswith(of)}
    is_same = own.keys() == found.keys() and all(
        own[key].half().equal(found[key].half()) for key in own
    )
    return [prefix + key for key in own] if is_same else []


def main() -> int:
    """Ship what the command line names; 1 where it is too large, 2 for bad input."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--name", required=True, help="scenes or photos")
    parser.add_argument(
        "--clip-attr",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="checkpoint of CLIP-Attr, the teacher",
    )
    parser.add_argument(
        "--ovarnet",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="checkpoint of OvarNet, distilled from it",
    )
    parser.add_argument(
        "--proposals", type=int, help="boxes of an image that CLIP-Attr embeds; fewer are faster"
    )
    parser.add_argument("--int8", action="store_true", help="store the text tower in 8 bits")
    args = parser.parse_args()
    try:
        megabytes = ship(
            args.name,
            args.clip_attr,
            args.ovarnet,
            int8=args.int8,
            proposals=args.proposals,
        )
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{SHIPPED}: {megabytes:.1f} MB in all (at most {MOST_MEGABYTES})")
    return int(megabytes > MOST_MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())

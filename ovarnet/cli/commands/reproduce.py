"""Run the whole chain on the generated world or on photos, or one table of a paper (--part).

Examples:
  ovarnet reproduce scenes                     the chain: generate, CLIP, proposer, CLIP-Attr steps
                                               I and II, OvarNet, evaluation, report
  ovarnet reproduce scenes --quick             the same in about 2 minutes: does every stage run?
                                               Its numbers mean nothing
  ovarnet reproduce scenes --part clip-attr    a table over three seeds: steps I and II of CLIP-Attr
                                               and their ablations
  ovarnet reproduce scenes --part clip-attr --rows "step II"
                                               only rows whose name contains this
  ovarnet reproduce scenes --part ovarnet      OvarNet: distillation, teacher, pooling, joint
                                               training
  ovarnet reproduce scenes --part find         `ovarnet find` against the phrase as one embedding
  ovarnet reproduce photos --root data         the chain of the weights "photos"; data/ holds
                                               photos, flickr8k and coco128 (docs/photos.md)
  ovarnet reproduce photos --root data --quick
                                               the same on a few photos: does every stage run?
  ovarnet reproduce photos --root data --part protocol
                                               a table over three seeds: words without a label
  ovarnet reproduce photos --root data --part protocol --rows "step I," oracle --seeds 1
                                               rows whose name contains this, one seed
  ovarnet reproduce catalogue --root shop      the tables of docs/catalogue.md: the CLIP on your
                                               products, matchers and what is fine-tuned from them
                                               on drawn ones
  ovarnet reproduce catalogue --part matcher   one of them; clip and photo-matcher need --root

The chain writes everything to --output (runs/reproduce/scenes): world/, runs/, evaluation/,
chain.json (commands, minutes, machine) and report/report.html. An interrupted chain continues where
it stopped; a stage whose settings have changed is run again with all that follow it.

A part needs, before it, `ovarnet generate scenes --root datasets/scenes` and `ovarnet train` of
configs/scenes/clip.yaml and proposer.yaml; the part ovarnet also clip_attr.yaml and
clip_attr_captions.yaml, its teachers. The tables over seeds write results.json (every run with its
seed) and table.md, and continue where they were interrupted.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ovarnet.cli.argument_types import positive
from ovarnet.cli.commands import (
    distill,
    evaluate,
    generate,
    prepare,
    propose,
    pseudo_label,
    train,
)
from ovarnet.cli.parser import run_command
from ovarnet.errors import InputError

HELP = "run the whole chain on the generated world or on photos, or the tables of a paper"
CHAIN_COMMANDS = {
    "generate": generate,
    "train": train,
    "propose": propose,
    "pseudo-label": pseudo_label,
    "distill": distill,
    "evaluate": evaluate,
}
CATALOGUE_COMMANDS = {"generate": generate, "prepare": prepare, "train": train}
PROTOCOL_SEEDS = CATALOGUE_SEEDS = 3
CATALOGUE_PARTS = ("clip", "photo-matcher", "matcher", "fine-tuning")
PART_DEFAULTS = {
    "root": "datasets/scenes",
    "clip": "runs/scenes/clip/checkpoint/clip.safetensors",
    "proposer": "runs/scenes/proposer/checkpoint",
    "teacher_one": "runs/scenes/clip_attr/checkpoint",
    "teacher_two": "runs/scenes/clip_attr_captions/checkpoint",
    "model": "scenes",
    "split": "test",
    "seeds": 3,
    "rows": [""],
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet reproduce`."""
    parser.add_argument("world", choices=["scenes", "photos", "catalogue"], help="on which data")
    parser.add_argument(
        "--part",
        choices=[*PARTS, "protocol", *CATALOGUE_PARTS],
        help="one table instead of the chain; clip-attr: steps I and II; "
        "ovarnet: the one-pass model beside CLIP-Attr; find: by a phrase; "
        "protocol: of photos, with novel words; "
        f"{', '.join(CATALOGUE_PARTS)}: of a catalogue",
    )
    parser.add_argument(
        "--configs",
        metavar="FOLDER",
        help="folder of the stages' configs (default: configs/ and the world)",
    )
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        help="where results are written (default: runs/reproduce/ and the part)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="fewer pictures, boxes and iterations; a part: also one seed",
    )
    add_part_arguments(parser.add_argument_group("only with --part"))


def add_part_arguments(part: argparse._ArgumentGroup) -> None:
    """Add the arguments of the tables; None stands for the value in PART_DEFAULTS."""
    part.add_argument(
        "--root",
        metavar="FOLDER",
        help=f"the generated world (default: {PART_DEFAULTS['root']}), the data of photos, or "
        "a shop's catalogue",
    )
    part.add_argument(
        "--clip", metavar="FILE", help=f"weights of the CLIP (default: {PART_DEFAULTS['clip']})"
    )
    part.add_argument(
        "--proposer",
        metavar="FOLDER",
        help=f"the trained proposer (default: {PART_DEFAULTS['proposer']})",
    )
    part.add_argument(
        "--teacher-one",
        metavar="FOLDER",
        help=f"of ovarnet: CLIP-Attr after step I (default: {PART_DEFAULTS['teacher_one']})",
    )
    part.add_argument(
        "--teacher-two",
        metavar="FOLDER",
        help=f"of ovarnet: after step II (default: {PART_DEFAULTS['teacher_two']})",
    )
    part.add_argument(
        "--model", help="of find: shipped weights or a checkpoint folder (default: scenes)"
    )
    part.add_argument("--split", choices=["test", "val"], help="of find (default: test)")
    part.add_argument(
        "--seeds",
        type=positive,
        metavar="N",
        help=f"how many seeds (default: {PART_DEFAULTS['seeds']})",
    )
    part.add_argument(
        "--rows",
        nargs="*",
        metavar="TEXT",
        help="only rows whose name contains one of these (default: all)",
    )


def run(args: argparse.Namespace) -> int:
    """Run the chain, or the table that --part names."""
    args.configs = args.configs or f"configs/{args.world}"
    if args.world == "photos":
        return photos(args)
    if args.world == "catalogue":
        return catalogue(args)
    if args.part is None:
        return chain(args)
    if args.part not in PARTS:
        raise InputError(f"--part {args.part} is of photos; of scenes: {', '.join(PARTS)}")
    for name, value in PART_DEFAULTS.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    args.output = Path(args.output or f"runs/reproduce/{args.part.replace('-', '_')}")
    return PARTS[args.part](args)


def photos(args: argparse.Namespace) -> int:
    """Run the chain on photos, or its protocol with novel words."""
    from ovarnet.photos.chain import run_photos
    from ovarnet.photos.protocol import run_protocol
    from ovarnet.photos.protocol_steps import PART

    if args.part not in (None, PART) or args.root is None:
        raise InputError(
            "reproduce photos takes --root, the folder of photos, flickr8k and coco128, and "
            f"--part {PART} or none"
        )
    output = args.output or f"runs/reproduce/photos{'_quick' if args.quick else ''}"
    places = Path(args.root), Path(args.configs), Path(output)
    if args.part is None:
        run_photos(*places, run_step, quick=args.quick)
    else:
        seeds = args.seeds or (1 if args.quick else PROTOCOL_SEEDS)
        print(run_protocol(*places, seeds, args.rows or [""], run_step, quick=args.quick))
    return 0


def catalogue(args: argparse.Namespace) -> int:
    """Make the tables of a catalogue, all or one."""
    parts = (args.part,) if args.part else CATALOGUE_PARTS
    if not set(parts) <= set(CATALOGUE_PARTS):
        raise InputError(
            f"--part {args.part} is not of catalogue, which has: {', '.join(CATALOGUE_PARTS)}"
        )
    if args.root is None and (of_shops := {"clip", "photo-matcher"} & set(parts)):
        raise InputError(
            f"part {', '.join(sorted(of_shops))}: give --root SHOP, a folder with photos "
            "and titles (docs/catalogue.md); --part matcher and --part fine-tuning draw their own"
        )
    from ovarnet.catalogue.tables.all import write_tables
    from ovarnet.catalogue.tables.sizes import FULL, QUICK

    sizes = (QUICK if args.quick else FULL).chosen(args.seeds, args.rows)
    root = Path(args.root) if args.root else None
    output = Path(args.output or "runs/reproduce/catalogue")
    print(write_tables(parts, root, Path(args.configs), output, sizes, run_catalogue_step))
    return 0


def run_catalogue_step(words: Sequence[str]) -> None:
    """Run one command of the tables. words: its name and its arguments."""
    run_command(CATALOGUE_COMMANDS[words[0]], words[1:])


def chain(args: argparse.Namespace) -> int:
    """Run the chain from nothing to the report."""
    from ovarnet.scenes.chain.run import run_chain
    from ovarnet.scenes.chain.sizes import FULL, QUICK
    from ovarnet.scenes.chain.steps import Places
    from ovarnet.scenes.report.write import write_report

    for name in PART_DEFAULTS:
        if getattr(args, name) is not None:
            raise InputError(
                f"--{name.replace('_', '-')} belongs to --part; the chain makes everything "
                "itself, in --output"
            )
    places = Places(
        Path(args.configs),
        Path(
            args.output
            or ("runs/reproduce/scenes_quick" if args.quick else "runs/reproduce/scenes")
        ),
    )
    run_chain(places, QUICK if args.quick else FULL, run_step)
    page, tables = write_report(places, quick=args.quick)
    print(f"\n{tables}\nreport: {page}")
    return 0


def run_step(words: Sequence[str]) -> None:
    """Run one step of the chain. words: the name of a command and its arguments."""
    run_command(CHAIN_COMMANDS[words[0]], words[1:])


def clip_attr(args: argparse.Namespace) -> int:
    """Print the table of CLIP-Attr, steps I and II."""
    from ovarnet.scenes.ablations.clip_attr import Ablation, Inputs, Sizes, write_table

    inputs = Inputs(Path(args.configs), Path(args.root), args.clip, args.proposer, args.output)
    sizes = Sizes(seeds=args.seeds, rows=tuple(args.rows))
    print(write_table(Ablation(inputs, sizes.quick() if args.quick else sizes).run(), args.output))
    return 0


def one_pass(args: argparse.Namespace) -> int:
    """Print the table of OvarNet."""
    from ovarnet.scenes.ablations.ovarnet import Ablation, Inputs, Sizes, write_table

    inputs = Inputs(
        Path(args.configs) / "ovarnet.yaml",
        Path(args.root),
        {1: args.teacher_one, 2: args.teacher_two},
        args.output,
    )
    sizes = Sizes(seeds=args.seeds, rows=tuple(args.rows))
    print(write_table(Ablation(inputs, sizes.quick() if args.quick else sizes).run(), args.output))
    return 0


def find(args: argparse.Namespace) -> int:
    """Print the table of finding by a phrase."""
    from ovarnet.scenes.ablations.find import reproduce_find

    print(
        reproduce_find(
            args.model, args.root, args.output, split=args.split, images=100 if args.quick else None
        ),
        end="",
    )
    return 0


PARTS = {"clip-attr": clip_attr, "ovarnet": one_pass, "find": find}
"""Name of a part -> its function, called with all arguments filled in and `output` a Path."""

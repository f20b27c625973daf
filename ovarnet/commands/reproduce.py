"""Run an ablation of the paper on the generated world and print its table.

examples:
  ovarnet reproduce scenes --part clip-attr                    the whole table, three seeds
  ovarnet reproduce scenes --part clip-attr --quick            the same rows in a few minutes, one seed; its numbers mean little
  ovarnet reproduce scenes --part clip-attr --rows "step II"   only rows whose name contains this
  ovarnet reproduce scenes --part find                         does `ovarnet find` beat the whole phrase as one embedding?

Before it: ovarnet generate scenes --root datasets/scenes, then ovarnet train configs/scenes/clip.yaml and .../proposer.yaml.
Writes results.json (every run, with its seed) and table.md to the output folder. A table that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse

HELP = "run an ablation on the generated world and print its table"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("world", choices=["scenes"], help="on which data")
    parser.add_argument("--part", choices=["clip-attr", "find"], required=True,
                        help="which table: steps I and II of CLIP-Attr, or finding by a phrase")
    parser.add_argument("--model", default="scenes", help="of --part find: shipped weights or a checkpoint folder")
    parser.add_argument("--split", choices=["test", "val"], default="test", help="of --part find")
    parser.add_argument("--root", default="datasets/scenes", metavar="FOLDER", help="the generated world")
    parser.add_argument("--clip", default="runs/scenes/clip/checkpoint/clip.safetensors", metavar="FILE", help="weights of the CLIP")
    parser.add_argument("--proposer", default="runs/scenes/proposer/checkpoint", metavar="FOLDER", help="the trained proposer")
    parser.add_argument("--configs", default="configs/scenes", metavar="FOLDER", help="where the configs of both steps are")
    parser.add_argument("--output", metavar="FOLDER", help="where results and table are written (default: runs/reproduce/PART)")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="how many seeds")
    parser.add_argument("--quick", action="store_true", help="one seed, fewer iterations, pictures and boxes")
    parser.add_argument("--rows", nargs="*", default=[""], metavar="TEXT", help="only rows whose name contains one of these")


def run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from ovarnet.reproduce.clip_attr import Ablation, Inputs, Sizes, write_table
    from ovarnet.reproduce.find import reproduce_find

    output = Path(args.output or f"runs/reproduce/{args.part.replace('-', '_')}")
    if args.part == "find":
        print(reproduce_find(args.model, args.root, output, split=args.split, images=100 if args.quick else None), end="")
        return 0
    inputs = Inputs(Path(args.configs), Path(args.root), args.clip, args.proposer, output)
    sizes = Sizes(seeds=args.seeds, rows=tuple(args.rows))
    print(write_table(Ablation(inputs, sizes.quick() if args.quick else sizes).run(), output))
    return 0

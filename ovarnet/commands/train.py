"""``ovarnet train CONFIG``: one link of the training chain, chosen by the `stage` of its config."""

from __future__ import annotations

import argparse

HELP = "train one stage from its config: clip, proposer, zero_shot, clip_attr, clip_attr_captions, ovarnet, probe"

EXAMPLE = """\
examples:
  ovarnet generate scenes --root datasets/scenes            the generated world
  ovarnet train configs/scenes/clip.yaml                    a small CLIP from captions
  ovarnet train configs/scenes/proposer.yaml                boxes of base categories only
  ovarnet train configs/scenes/clip_attr_zero_shot.yaml     both together: CLIP-Attr, ready for ovarnet detect --model
  ovarnet train configs/scenes/clip_attr.yaml               step I: prompts from boxes with categories and with attributes
  ovarnet train configs/scenes/clip_attr_captions.yaml      step II: from captions; its first lines say what to run before

On a few dozen pictures of your own, from any checkpoint (docs/own_data.md):
  ovarnet train configs/custom/probe.yaml                   a linear probe on frozen embeddings
  ovarnet train configs/custom/prompts.yaml                 prompts only

Any setting of ovarnet/config.py can be given as KEY=VALUE, which wins over the file:
  ovarnet train configs/scenes/clip.yaml optimisation.iterations=200 output=runs/short
Several processes or GPUs: torchrun --nproc_per_node N -m ovarnet train CONFIG
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("config", nargs="?", metavar="CONFIG", help="a .yaml file such as configs/scenes/clip.yaml")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="settings that win over the file")
    parser.add_argument("--config-file", metavar="CONFIG", help="the same as CONFIG, for those used to this flag")
    parser.add_argument("--resume", action="store_true", help="go on from the last saved state in the run's output folder")


def run(args: argparse.Namespace) -> int:
    from accelerate import Accelerator

    from ovarnet.config import load_config
    from ovarnet.errors import InputError
    from ovarnet.training import train

    overrides = list(args.overrides)
    path = args.config_file or args.config
    if args.config_file and args.config:
        overrides.insert(0, args.config)
    if path is None:
        raise InputError("which config? for example: ovarnet train configs/scenes/clip.yaml")
    config = load_config(path, overrides)
    precision = getattr(getattr(config, "optimisation", None), "mixed_precision", "no")
    folder = train(config, Accelerator(mixed_precision=precision), resume=args.resume)
    print(f"wrote {folder}")
    return 0

"""``ovarnet train CONFIG``: one link of the training chain, chosen by the `stage` of its config."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ovarnet.cli.commands import evaluate
from ovarnet.cli.parser import run_command
from ovarnet.errors import InputError
from ovarnet.io.files import check_folder

HELP = (
    "train one stage from its config: clip, proposer, zero_shot, clip_attr, "
    "clip_attr_captions, ovarnet, probe"
)

EXAMPLE = """\
examples:
  ovarnet generate scenes --root datasets/scenes          the generated world
  ovarnet train configs/scenes/clip.yaml                  a small CLIP from captions
  ovarnet train configs/scenes/proposer.yaml              boxes of base categories only
  ovarnet train configs/scenes/clip_attr_zero_shot.yaml   both together: CLIP-Attr, ready for detect
  ovarnet train configs/scenes/clip_attr.yaml             step I: prompts, from labelled boxes
  ovarnet train configs/scenes/clip_attr_captions.yaml    step II: captions; its first lines say
                                                          what to run before

On a few dozen images of your own, from any checkpoint (docs/own_data.md):
  ovarnet train configs/custom/probe.yaml                 a linear probe on frozen embeddings
  ovarnet train configs/custom/prompts.yaml               prompts only

Any setting of ovarnet/config can be given as KEY=VALUE, which wins over the file:
  ovarnet train configs/scenes/clip.yaml optimisation.iterations=200 output=runs/short
Before a long run, see what it will need; afterwards, score it again:
  ovarnet train configs/coco_vaw/proposer.yaml --dry-run
  ovarnet train configs/scenes/clip_attr.yaml --eval-only
Several processes or GPUs: torchrun --nproc_per_node N -m ovarnet train CONFIG
"""
TRACKERS = ("wandb", "mlflow")
HELD_OUT = {"coco-ovd": "val"}
"""The split that --eval-only scores, where it is not `test`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ovarnet train`."""
    parser.epilog = EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "config", nargs="?", metavar="CONFIG", help="a .yaml file such as configs/scenes/clip.yaml"
    )
    add_run_arguments(parser)


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options that `ovarnet distill` shares."""
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="settings that win over the file"
    )
    parser.add_argument("--config-file", metavar="CONFIG", help="another way to give CONFIG")
    parser.add_argument(
        "--log-with",
        action="append",
        choices=TRACKERS,
        help="send curves and settings there, too; given twice, to both. history.json, curves.png "
        "and TensorBoard's curves are written to the output folder anyway",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--resume",
        action="store_true",
        help="continue from the last saved state in the run's output folder",
    )
    mode.add_argument(
        "--overwrite",
        action="store_true",
        help="train from the start although the output folder holds an earlier run",
    )
    mode.add_argument(
        "--dry-run",
        action="store_true",
        help="build everything, read 20 images of each source, take two steps; print the memory "
        "and the time that the whole schedule will need, and keep nothing",
    )
    mode.add_argument(
        "--eval-only",
        action="store_true",
        help="do not train: score the checkpoint in the run's output folder on the test data of "
        "the config's datasets",
    )


def run(args: argparse.Namespace, stage: str | None = None) -> int:
    """Train one stage; returns the exit code.

    Args:
        args: The options.
        stage: The only one that the config may be of; None: any.
    """
    from ovarnet.config import load_config

    config = load_config(*config_and_overrides(args), stage)
    if args.eval_only:
        return evaluate_run(config)
    import torch
    from accelerate import Accelerator, PartialState

    from ovarnet.training import train
    from ovarnet.training.engine.dry_run import dry_run
    from ovarnet.training.engine.run_folder import check_run_folder
    from ovarnet.training.engine.trackers import check_trackers, open_trackers

    check_trackers(args.log_with or [])

    precision = getattr(getattr(config, "optimisation", None), "mixed_precision", "no")
    if precision == "fp16" and not torch.accelerator.is_available():
        raise InputError("optimisation.mixed_precision=fp16 needs a GPU; give no or bf16")
    # without cpu=True, processes of torchrun on a machine without a GPU would each train alone,
    # into the same folder
    settings = {"mixed_precision": precision, "cpu": not torch.accelerator.is_available()}
    if args.dry_run:
        check_folder(config.output, "output")
        PartialState().print(dry_run(config, **settings))
        return 0
    check_run_folder(config.output, resume=args.resume, overwrite=args.overwrite)
    accelerator = Accelerator(**settings, log_with=args.log_with)
    accelerator.wait_for_everyone()  # all have checked the folder before one writes into it
    with open_trackers(accelerator, config):
        folder = train(config, accelerator, resume=args.resume)
    accelerator.print(table_of_curves(config) + f"wrote {folder}")
    return 0


def table_of_curves(config: Any) -> str:
    """The curves of a finished run as a table and a blank line; "" for a stage without any."""
    from ovarnet.io.files import read_json
    from ovarnet.training.engine.curve_table import curve_table
    from ovarnet.training.engine.recorder import HISTORY

    history = Path(config.output) / HISTORY
    if not hasattr(config, "optimisation") or not history.is_file():
        return ""
    return curve_table(read_json(history, dict)) + "\n\n"


def config_and_overrides(args: argparse.Namespace) -> tuple[str, list[str]]:
    """The config file and the overrides; with --config-file, CONFIG is the first override."""
    if args.config_file and args.config:
        return args.config_file, [args.config, *args.overrides]
    if args.config_file or args.config:
        return args.config_file or args.config, list(args.overrides)
    raise InputError("which config? for example: ovarnet train configs/scenes/clip.yaml")


def evaluate_run(config: Any) -> int:
    """Run `ovarnet evaluate` on the run's checkpoint, once for each dataset of its config."""
    checkpoint, sources = Path(config.output) / "checkpoint", sources_of(config)
    if not sources:
        raise InputError(
            f"stage {config.stage} gives no whole model to score; put one together first, "
            "such as with: ovarnet train configs/scenes/clip_attr_zero_shot.yaml"
        )
    if not checkpoint.is_dir():
        raise InputError(
            f"nothing to evaluate: {checkpoint} does not exist; train first, or give "
            "output=FOLDER of the run"
        )
    for dataset, root in sources:
        name = dataset.partition(":")[0]
        run_command(
            evaluate,
            [
                *("--model", str(checkpoint)),
                *("--dataset", dataset),
                *("--root", root),
                *("--split", HELD_OUT.get(name, "test")),
                *("--output", str(Path(config.output) / f"evaluation_{name}")),
            ],
        )
    return 0


def sources_of(config: Any) -> list[tuple[str, str]]:
    """Name and root of the datasets of a stage that trains a whole model; of others none."""
    if config.stage in ("clip", "proposer"):
        return []
    sources = (config.data,) if config.stage == "probe" else (config.detection, config.attributes)
    return list(dict.fromkeys((source.dataset, source.root) for source in sources))

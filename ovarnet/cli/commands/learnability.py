"""Train a small supervised network on labels of all words and report the AP of every word.

Renders labelled crops of the generated world in memory, trains on base and novel words alike, and
prints the average precision of each word beside its chance level. A diagnosis of the drawings:
nothing is kept. Exit code 1 if an attribute is not 10 points above chance.

Example:
  ovarnet learnability --output learnability.json
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ovarnet.cli.argument_types import positive

if TYPE_CHECKING:
    from ovarnet.scenes.learnability import WordResult

HELP = (
    "train a small supervised network on the generated world and report the average precision "
    "of every word"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet learnability`."""
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the scenes and of the training"
    )
    parser.add_argument(
        "--scenes",
        type=positive,
        default=5000,
        metavar="N",
        help="scenes to train on; a quarter as many are scored",
    )
    parser.add_argument(
        "--epochs", type=positive, default=8, metavar="N", help="passes over the crops"
    )
    parser.add_argument(
        "--threads", type=positive, default=2, metavar="N", help="processor threads"
    )
    parser.add_argument("--output", metavar="FILE", help="also write the table as JSON")


def run(args: argparse.Namespace) -> int:
    """Train, print the table, and return 1 where an attribute is not learnable."""
    import torch
    from tqdm import tqdm

    from ovarnet.io.files import check_file
    from ovarnet.scenes.learnability import LEAST_MARGIN, measure_learnability

    if args.output:
        check_file(args.output)
    torch.set_num_threads(args.threads)
    with tqdm(unit="step", smoothing=0.05) as bar:

        def progress(_step: int, steps: int, loss: float) -> None:
            bar.total = steps
            bar.set_postfix(loss=f"{loss:.2f}", refresh=False)
            bar.update()

        results = measure_learnability(args.seed, args.scenes, args.epochs, progress)
    print(table(results))
    if args.output:
        write(args, results)
    weak = [r.word for r in results if r.kind == "attribute" and not r.margin >= LEAST_MARGIN]
    print(
        f"\nattribute words less than {100 * LEAST_MARGIN:.0f} points above chance: "
        f"{', '.join(weak) or 'none'}"
    )
    return 1 if weak else 0


def table(results: Sequence[WordResult]) -> str:
    """One line a word, then the mean of each kind and of each attribute type, in percent."""
    lines = [f"{'word':24}{'type':12}{'':8}{'AP':>7}{'chance':>8}{'margin':>8}{'labels':>8}"]
    lines += [
        f"{r.word:24}{r.parent:12}{'novel' if r.novel else '':8}{100 * r.average_precision:7.1f}"
        f"{100 * r.chance:8.1f}{100 * r.margin:8.1f}{r.count:8}"
        for r in results
    ]
    lines.append("")
    lines += [
        f"{name:32}mean AP {100 * precision:5.1f}   chance {100 * chance:5.1f}   least margin "
        f"{100 * margin:5.1f}"
        for name, (precision, chance, margin) in group_means(results).items()
    ]
    return "\n".join(lines)


def group_means(results: Sequence[WordResult]) -> dict[str, tuple[float, float, float]]:
    """Mean AP, mean chance and least margin of each group.

    The groups are base and novel words of each kind, and each parent type of attributes.
    """
    groups = defaultdict(list)
    for result in results:
        groups[f"{result.kind}, {'novel' if result.novel else 'base'}"].append(result)
        if result.kind == "attribute":
            groups[f"attribute, {result.parent}"].append(result)
    return {
        name: (
            sum(r.average_precision for r in group) / len(group),
            sum(r.chance for r in group) / len(group),
            min(r.margin for r in group),
        )
        for name, group in groups.items()
    }


def write(args: argparse.Namespace, results: Sequence[WordResult]) -> None:
    """Write the settings and the result of every word as JSON."""
    from dataclasses import asdict

    from ovarnet.io.files import write_json

    words = [{**asdict(result), "margin": result.margin} for result in results]
    settings = {"seed": args.seed, "scenes": args.scenes, "epochs": args.epochs}
    write_json(args.output, {**settings, "words": words}, indent=1)

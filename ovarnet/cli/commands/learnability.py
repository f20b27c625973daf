"""`ovarnet learnability`: show that every word of the generated world can be learned from its
pictures.
"""

from __future__ import annotations

import argparse

HELP = (
    "train a small supervised network on the generated world and report the average precision "
    "of every word"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Renders labelled crops in memory, trains a small network on all words, base and novel, "
        "and\n"
        "prints the average precision of each word beside its chance level. A diagnosis of the\n"
        "drawings: nothing is kept. Exit code 1 if an attribute word is not 10 points above chance."
    )
    parser.epilog = "example: ovarnet learnability --output learnability.json"
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the scenes and of the training"
    )
    parser.add_argument(
        "--scenes",
        type=int,
        default=5000,
        metavar="N",
        help="scenes to train on; a quarter as many are scored",
    )
    parser.add_argument("--epochs", type=int, default=8, metavar="N", help="passes over the crops")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="processor threads")
    parser.add_argument("--output", metavar="FILE", help="also write the table as JSON")


def _means(results) -> dict[str, tuple[float, float, float]]:
    """Group -> mean AP, mean chance and least margin: each kind in base and novel words, each
    parent type of attributes.
    """
    groups = {}
    for result in results:
        names = [f"{result.kind}, {'novel' if result.novel else 'base'}"]
        if result.kind == "attribute":
            names.append(f"attribute, {result.parent}")
        for name in names:
            groups.setdefault(name, []).append(result)
    return {
        name: (
            sum(r.average_precision for r in group) / len(group),
            sum(r.chance for r in group) / len(group),
            min(r.margin for r in group),
        )
        for name, group in groups.items()
    }


def _print_table(results) -> None:
    print(f"{'word':24}{'type':12}{'':8}{'AP':>7}{'chance':>8}{'margin':>8}{'labels':>8}")
    for r in results:
        print(
            f"{r.word:24}{r.parent:12}{'novel' if r.novel else '':8}{100 * r.average_precision:7.1f}{100 * r.chance:8.1f}"
            f"{100 * r.margin:8.1f}{r.count:8}"
        )
    print()
    for name, (precision, chance, margin) in _means(results).items():
        print(
            f"{name:32}mean AP {100 * precision:5.1f}   chance {100 * chance:5.1f}   least margin "
            f"{100 * margin:5.1f}"
        )


def run(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    import torch
    from tqdm import tqdm

    from ovarnet.errors import InputError
    from ovarnet.io.files import check_file, write_json
    from ovarnet.scenes.learnability import LEAST_MARGIN, measure_learnability

    if args.output:
        check_file(args.output)
    for name in ("scenes", "epochs", "threads"):
        if getattr(args, name) < 1:
            raise InputError(f"--{name} {getattr(args, name)}: give a number of at least 1")
    torch.set_num_threads(args.threads)
    with tqdm(unit="step", smoothing=0.05) as bar:

        def progress(step: int, steps: int, loss: float) -> None:
            bar.total = steps
            bar.set_postfix(loss=f"{loss:.2f}", refresh=False)
            bar.update()

        results = measure_learnability(args.seed, args.scenes, args.epochs, progress)
    _print_table(results)
    weak = [r.word for r in results if r.kind == "attribute" and not r.margin >= LEAST_MARGIN]
    if args.output:
        table = [{**asdict(result), "margin": result.margin} for result in results]
        settings = {"seed": args.seed, "scenes": args.scenes, "epochs": args.epochs}
        write_json(args.output, {**settings, "words": table}, indent=1)
    print(
        f"\nattribute words less than {100 * LEAST_MARGIN:.0f} points above chance: "
        f"{', '.join(weak) or 'none'}"
    )
    return 1 if weak else 0

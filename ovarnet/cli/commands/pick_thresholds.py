"""Choose a threshold for each word on annotated images, for `ovarnet detect --thresholds`.

A category's threshold is that of the highest F1 of its detections (IoU 0.5), an attribute's that of
the highest F1 on the annotated boxes. Choose on validation images, not on those that you report
numbers of. Words with few examples get none: they keep the thresholds of all others.

Examples:
  ovarnet pick-thresholds --dataset custom --root datasets/mine --output thresholds.json
  ovarnet detect photos/ --vocabulary datasets/mine/vocabulary.json --thresholds thresholds.json
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ovarnet.cli.argument_types import positive
from ovarnet.cli.model_arguments import add_device_argument, add_model_arguments
from ovarnet.errors import InputError

if TYPE_CHECKING:
    from ovarnet.evaluation.word_thresholds import ChosenThreshold
    from ovarnet.vocabulary import Vocabulary

HELP = "choose a threshold for each word on annotated images"
LEAST_POSITIVES = 10
SHOWN = 5
"""Most words without a threshold that are named."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet pick-thresholds`."""
    parser.add_argument(
        "--dataset", default="custom", metavar="NAME", help="as for ovarnet evaluate"
    )
    parser.add_argument("--root", type=Path, required=True, help="folder of the dataset")
    parser.add_argument("--split", default="val", help="train, val or test")
    add_model_arguments(parser)
    parser.add_argument(
        "--least",
        type=positive,
        default=LEAST_POSITIVES,
        metavar="N",
        help="words with fewer annotated examples get no threshold",
    )
    parser.add_argument("--limit", type=positive, metavar="N", help="only the first N images")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="the JSON file to write"
    )
    add_device_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Detect, choose, print and write; returns the exit code."""
    import ovarnet
    from ovarnet.data.datasets import open_dataset
    from ovarnet.evaluation.inference import detect_all
    from ovarnet.evaluation.word_thresholds import attribute_thresholds, category_thresholds
    from ovarnet.io.files import check_file
    from ovarnet.io.word_thresholds import WordThresholds, write_word_thresholds

    check_file(args.output)
    vocabulary, images = open_dataset(args.dataset, args.root, args.split)
    images = images[: args.limit]
    model = ovarnet.load(args.model, proposer=args.proposer, device=args.device)

    chosen: dict[str, dict[str, ChosenThreshold]] = {"categories": {}, "attributes": {}}
    if vocabulary.categories:
        free = detect_all(model, vocabulary, images, box_given=False)
        chosen["categories"] = category_thresholds(free, vocabulary, args.least)
    if vocabulary.attributes:
        given = detect_all(model, vocabulary, images, box_given=True)
        chosen["attributes"] = attribute_thresholds(given, vocabulary, args.least)
    if not chosen["categories"] and not chosen["attributes"]:
        raise InputError(
            f"{args.root}: no word has {args.least} examples in {args.split!r}; annotate more, or "
            "give a smaller --least"
        )

    thresholds = WordThresholds(
        **{kind: {word: one.threshold for word, one in own.items()} for kind, own in chosen.items()}
    )
    about = {"model": args.model, "dataset": args.dataset, "split": args.split}
    measured = {
        kind: {word: asdict(one) for word, one in own.items()} for kind, own in chosen.items()
    }
    write_word_thresholds(
        args.output, thresholds, about={**about, "images": len(images)}, measured=measured
    )
    print(table(chosen, vocabulary, args.least))
    print(f"written to {args.output}")
    return 0


def table(chosen: dict[str, dict[str, ChosenThreshold]], vocabulary: Vocabulary, least: int) -> str:
    """A line for each word: threshold, F1 with it, and number of examples."""
    rows = [(word, one) for own in chosen.values() for word, one in own.items()]
    width = max(len(word) for word, _ in rows)
    lines = [f"{'word':{width}}  threshold     F1  examples"]
    lines += [
        f"{word:{width}}  {one.threshold:9.3f}  {one.f1:5.1%}  {one.positives:8d}"
        for word, one in rows
    ]
    left_out = [
        name
        for kind, names in (
            ("categories", vocabulary.category_names),
            ("attributes", vocabulary.attribute_names),
        )
        for name in names
        if name not in chosen[kind]
    ]
    if left_out:
        more = f" and {len(left_out) - SHOWN} more" if len(left_out) > SHOWN else ""
        lines.append(
            f"without a threshold (fewer than {least} examples, or only one kind of label): "
            f"{', '.join(left_out[:SHOWN])}{more}"
        )
    return "\n".join(lines)

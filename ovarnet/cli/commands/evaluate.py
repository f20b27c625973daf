"""Evaluate a model, or a file of stored predictions, on an annotated dataset.

Prints one table and writes it, with the numbers of every word, to metrics.json. Box-given: the
annotated boxes are given. Box-free: the boxes are detected. docs/evaluation.md states every rule
and the form of a prediction file.

Examples:
  ovarnet evaluate --model scenes --dataset scenes --root datasets/scenes --output out
  ovarnet evaluate --predictions theirs.json --dataset ovad --root datasets/ovad --official
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovarnet.cli.argument_types import positive
from ovarnet.cli.model_arguments import add_device_argument, add_model_arguments
from ovarnet.errors import InputError
from ovarnet.evaluation.protocols import EVALUATORS, FREE, GIVEN, LABELS, RULES, SETTINGS
from ovarnet.io.files import check_folder

if TYPE_CHECKING:
    from ovarnet.evaluation.report import Report
    from ovarnet.structures import Annotations
    from ovarnet.vocabulary import Vocabulary

HELP = "evaluate a model or stored predictions: categories, attributes, boxes; base, novel and all"
METRICS = "metrics.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ovarnet evaluate`."""
    parser.add_argument(
        "--dataset",
        default="scenes",
        metavar="NAME",
        help="scenes, coco-ovd, vaw, ovad, lsa, custom, voc or yolo; another base / novel division "
        "follows a colon (coco-ovd:48/32, vaw:common/rare)",
    )
    parser.add_argument(
        "--root",
        type=Path,
        default=Path("datasets/scenes"),
        help="folder of the dataset (see datasets/README.md)",
    )
    parser.add_argument("--split", default="test", help="train, val or test, if the dataset has it")
    add_model_arguments(parser)
    parser.add_argument(
        "--predictions", type=Path, metavar="FILE", help="score this file instead of a model"
    )
    parser.add_argument(
        "--settings",
        nargs="+",
        choices=SETTINGS,
        help="what to evaluate (default: both for a model, box-free for --predictions)",
    )
    parser.add_argument(
        "--rule",
        choices=RULES,
        help="rules of the attribute rates: threshold, top K, what is undefined; AP is the same by "
        "both (default: ovad for the dataset ovad, else vaw)",
    )
    parser.add_argument(
        "--labels",
        choices=tuple(LABELS),
        default="argmax",
        help="COCO-OVD AP50: one category per detection, or every category that scores over 0.05",
    )
    parser.add_argument(
        "--evaluator",
        choices=EVALUATORS,
        default=EVALUATORS[0],
        help="whose COCOeval computes COCO-OVD AP50; pycocotools is the reference, and slower",
    )
    parser.add_argument(
        "--category-activation",
        choices=("sigmoid", "softmax"),
        default="sigmoid",
        help="each category word by itself, or softmax over all of the dataset's; it changes how "
        "boxes are ranked",
    )
    parser.add_argument(
        "--official",
        action="store_true",
        help="also report attributes as the official VAW or OVAD tool does, by --rule",
    )
    parser.add_argument(
        "--limit", type=positive, metavar="N", help="only the first N images, for a quick check"
    )
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="write metrics.json here")
    parser.add_argument(
        "--save-predictions",
        action="store_true",
        help="also write predictions_SETTING.json to --output, in the form that --predictions "
        "reads",
    )
    add_device_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Evaluate, print and write; returns the exit code."""
    args.rule = args.rule or ("ovad" if args.dataset == "ovad" else "vaw")
    args.settings = args.settings or ([FREE] if args.predictions else list(SETTINGS))
    check(args)
    from ovarnet.data.datasets import open_dataset
    from ovarnet.evaluation.evaluate import add_official
    from ovarnet.io.skipped import Skipped

    left_out = Skipped()
    vocabulary, annotations = open_dataset(
        args.dataset,
        args.root,
        args.split,
        images=args.predictions is None,
        background=args.predictions is not None,
        skipped=left_out,
    )
    left_out.log(args.root)

    evaluate = evaluate_file if args.predictions else evaluate_checkpoint
    report = evaluate(args, vocabulary, annotations)
    if args.official:
        add_official(report, vocabulary)
    if left_out.lost_images:
        report.notes.append(
            f"images of the dataset that are in none of these numbers: {left_out.lost_images}"
        )

    if args.output:
        write(args, report, annotations)
    print(report.table())
    print_official(report)
    if args.output:
        print(f"\nwritten to {args.output}")
    return 0


def check(args: argparse.Namespace) -> None:
    """Refuse what cannot work before anything slow happens."""
    if args.output:
        check_folder(args.output)
    if args.save_predictions and not args.output:
        raise InputError("--save-predictions needs --output, the folder to write to")
    if args.predictions and (args.save_predictions or args.proposer):
        raise InputError(
            "--predictions are scored as they are: --save-predictions and --proposer need a model"
        )
    if args.predictions and len(args.settings) > 1:
        raise InputError(
            "a prediction file is box-given or box-free, not both; give one --settings"
        )
    if args.official and args.rule == "vaw" and GIVEN not in args.settings:
        raise InputError(
            "--official: VAW's tool scores given boxes; give --settings box-given, or --rule ovad"
        )


def evaluate_file(
    args: argparse.Namespace, vocabulary: Vocabulary, annotations: Sequence[Annotations]
) -> Report:
    """Score a file of stored predictions."""
    from ovarnet.evaluation.evaluate import evaluate_predictions
    from ovarnet.evaluation.predictions import read_predictions

    (setting,) = args.settings
    found = read_predictions(
        args.predictions, vocabulary, annotations, box_given=setting == GIVEN, limit=args.limit
    )
    about = {"model": str(args.predictions), "dataset": args.dataset, "split": args.split}
    return evaluate_predictions(
        {setting: found}, vocabulary, annotations[: args.limit], about=about, **choices(args)
    )


def evaluate_checkpoint(
    args: argparse.Namespace, vocabulary: Vocabulary, annotations: Sequence[Annotations]
) -> Report:
    """Run and score a model."""
    import ovarnet
    from ovarnet.evaluation.evaluate import evaluate_model

    model = ovarnet.load(
        args.model,
        proposer=args.proposer,
        device=args.device,
        category_activation=args.category_activation,
    )
    about = {
        "model": args.model,
        "dataset": args.dataset,
        "split": args.split,
        "category activation": args.category_activation,
    }
    return evaluate_model(
        model,
        vocabulary,
        annotations[: args.limit],
        args.settings,
        about=about,
        **choices(args),
    )


def choices(args: argparse.Namespace) -> dict[str, Any]:
    """The options that decide how numbers are computed."""
    return {"rule": args.rule, "labels": args.labels, "evaluator": args.evaluator}


def print_official(report: Report) -> None:
    """Print what the official attribute tool prints, for each setting."""
    from ovarnet.evaluation.official import official_text

    for setting, scores in report.official.items():
        print(f"\n{setting}, as the official {scores['tool'].upper()} tool prints it:\n")
        print(official_text(scores))


def write(args: argparse.Namespace, report: Report, annotations: Sequence[Annotations]) -> None:
    """Write metrics.json, and the official tables of words and the predictions if asked for."""
    from ovarnet.evaluation.official import official_text, official_word_table
    from ovarnet.evaluation.predictions import write_predictions
    from ovarnet.io.files import write_text

    try:
        report.write(args.output / METRICS)
        for setting, scores in report.official.items():
            text = f"{official_text(scores)}\n\n{official_word_table(scores)}\n"
            write_text(args.output / f"official_{setting}.txt", text)
        if args.save_predictions:
            ids = [image.image_id for image in annotations[: args.limit]]
            for setting, found in report.predictions.items():
                write_predictions(
                    args.output / f"predictions_{setting}.json", zip(ids, found, strict=True)
                )
    except OSError as error:
        raise InputError(
            f"{args.output}: cannot write results ({error.strerror}); choose another --output"
        ) from None

"""Score a model, or a file of stored predictions, on an annotated dataset: one table and
metrics.json.

example: ovarnet evaluate --model scenes --dataset scenes --root datasets/scenes --split test
--output out/scenes example: ovarnet evaluate --predictions theirs.json --dataset ovad --root
datasets/ovad --split test

Box-given: the annotated boxes are handed to the model. Box-free: the model finds boxes itself.
The form of a prediction file is described in ovarnet/evaluation/predictions.py.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ovarnet.cli.argument_types import positive
from ovarnet.cli.model_arguments import add_device_argument, add_model_arguments
from ovarnet.errors import InputError
from ovarnet.evaluation.protocols import FREE, GIVEN, SETTINGS
from ovarnet.io.files import check_folder

HELP = "score a model or stored predictions: categories, attributes, boxes; base, novel and all"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dataset",
        default="scenes",
        metavar="NAME",
        help="which dataset lies under --root: scenes, coco-ovd, vaw, ovad, lsa, custom; another "
        "base / novel division "
        "follows a colon (coco-ovd:48/32, vaw:common/rare)",
    )
    parser.add_argument(
        "--root",
        type=Path,
        default=Path("datasets/scenes"),
        help="folder of the dataset (see datasets/README.md)",
    )
    parser.add_argument(
        "--split", default="test", help="train, val or test, as far as the dataset has it"
    )
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
        choices=("vaw", "ovad"),
        help="attribute rules: threshold, top K and what is undefined; AP is the same (default: "
        "ovad for ovad, else vaw)",
    )
    parser.add_argument(
        "--labels",
        choices=("argmax", "all"),
        default="argmax",
        help="COCO-OVD AP50: one label per detection, or every category scoring at least 0.05",
    )
    parser.add_argument(
        "--category-activation",
        choices=("sigmoid", "softmax"),
        default="sigmoid",
        help="each category word by itself, or softmax over all of the dataset's; it changes how "
        "boxes are ranked",
    )
    parser.add_argument(
        "--limit", type=positive, metavar="N", help="only the first N images (for a quick look)"
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
    check(args)
    from ovarnet.data.datasets import open_dataset
    from ovarnet.io.skipped import Skipped

    left_out = Skipped()
    vocabulary, annotations = open_dataset(
        args.dataset, args.root, args.split, images=args.predictions is None, skipped=left_out
    )
    left_out.log(args.root)
    about = {"model": args.model, "dataset": args.dataset, "split": args.split}
    options = {
        "rule": args.rule or ("ovad" if args.dataset == "ovad" else "vaw"),
        "labels": args.labels,
    }
    if args.predictions:
        report = score_file(
            args,
            vocabulary,
            annotations,
            about={**about, "model": str(args.predictions)},
            **options,
        )
    else:
        about["category activation"] = args.category_activation
        report = score_model(args, vocabulary, annotations, about=about, **options)
    if left_out.lost_images:
        report.notes.append(
            f"images of the dataset that are in none of these numbers: {left_out.lost_images}"
        )
    if args.output:
        write(args, report, annotations)
    print(report.table())
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
    if args.predictions and len(args.settings or ["one"]) > 1:
        raise InputError(
            "a prediction file is box-given or box-free, not both; give one --settings"
        )


def score_file(args, vocabulary, annotations, **options):
    from ovarnet.evaluation.evaluate import evaluate_predictions
    from ovarnet.evaluation.predictions import read_predictions

    setting = (args.settings or [FREE])[0]
    found = read_predictions(
        args.predictions, vocabulary, annotations, box_given=setting == GIVEN, limit=args.limit
    )
    return evaluate_predictions({setting: found}, vocabulary, annotations[: args.limit], **options)


def score_model(args, vocabulary, annotations, **options):
    import ovarnet
    from ovarnet.evaluation.evaluate import evaluate_model

    model = ovarnet.load(
        args.model,
        proposer=args.proposer,
        device=args.device,
        category_activation=args.category_activation,
    )
    return evaluate_model(
        model, vocabulary, annotations[: args.limit], args.settings or SETTINGS, **options
    )


def write(args, report, annotations) -> None:
    """metrics.json, and the predictions where they are wanted."""
    from ovarnet.evaluation.predictions import write_predictions

    try:
        report.write(args.output / "metrics.json")
        for setting, found in report.predictions.items() if args.save_predictions else ():
            ids = [image.image_id for image in annotations[: args.limit]]
            write_predictions(
                args.output / f"predictions_{setting}.json", zip(ids, found, strict=True)
            )
    except OSError as error:
        raise InputError(
            f"{args.output}: cannot write results ({error.strerror}); choose another --output"
        ) from None

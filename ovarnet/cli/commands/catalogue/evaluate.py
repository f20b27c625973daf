"""Evaluate retrieval on the products of a split: title to photo, and photo to title.

Recall at 1, 5 and 10 among all products of the split and in pools of 101 (the right answer and 100
wrong ones of the same subcategory, 5 draws), each with its level of chance. Products of one group
are all right answers, and ties count against the model. With --baselines: titles as a TF-IDF bag
of words, and an oracle that knows the labels of --oracle exactly and nothing else.

Examples:
  ovarnet catalogue evaluate --root shop --output out
  ovarnet catalogue evaluate --root shop --model runs/catalogue/clip/checkpoint --output out
  ovarnet catalogue evaluate --root shop --baselines --oracle subcategory,color --output out
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ovarnet.cli.commands.catalogue.index import add_encoder_arguments
from ovarnet.errors import InputError

HELP = "evaluate retrieval by text and by photo"
METRICS = "metrics.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet catalogue evaluate`."""
    parser.add_argument("--root", type=Path, required=True, help="a prepared catalogue")
    parser.add_argument("--split", default="test", choices=("train", "val", "test"), help="queries")
    parser.add_argument(
        "--baselines", action="store_true", help="also TF-IDF (scikit-learn) and the oracle"
    )
    parser.add_argument(
        "--oracle", default="", metavar="COLUMNS", help="label columns that the oracle knows"
    )
    parser.add_argument("--output", type=Path, default=Path("out"), help=f"folder of {METRICS}")
    add_encoder_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run `ovarnet catalogue evaluate`; returns the exit code."""
    if args.oracle and not args.baselines:
        raise InputError("--oracle is one of the baselines; give --baselines too")
    from ovarnet.catalogue.data.prepared import open_catalogue
    from ovarnet.catalogue.evaluation.evaluate import add_baselines, evaluate_retrieval
    from ovarnet.catalogue.modeling.encoder import load_encoder
    from ovarnet.evaluation.report import Report
    from ovarnet.io.files import check_folder

    check_folder(args.output)
    catalogue = open_catalogue(args.root)
    products = catalogue.split(args.split).products
    columns = [name.strip() for name in args.oracle.split(",") if name.strip()]
    for column in columns:
        catalogue.values(column)  # an unknown one fails here
    encoder = load_encoder(args.model, device=args.device, foreground=not args.whole_photos)

    images = encoder.photos(products, progress=args.split).numpy()
    texts = encoder.texts([product.title for product in products]).numpy()
    report = Report({"model": args.model, "catalogue": str(args.root), "split": args.split})
    evaluate_retrieval(products, images, texts, report)
    if args.baselines:
        training = catalogue.split("train").products
        training_images = encoder.photos(training, progress="train").numpy()
        add_baselines(report, products, images, training, training_images, columns)
    report.write(args.output / METRICS)
    print(report.table())
    print(f"written to {args.output / METRICS}")
    return 0

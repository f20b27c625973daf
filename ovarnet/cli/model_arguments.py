"""Arguments of every command that runs a model: --model, --proposer and --device."""

from __future__ import annotations

import argparse
import sys

from ovarnet.shipped import DEFAULT_MODEL, shipped_models

TRAINED_ON_SCENES = ("scenes", "scenes-clip-attr")
"""Shipped weights that were trained on the generated world alone."""
PHOTOS = "photos"
"""Shipped weights that were trained on photos; not in every version of the package."""
STOCK_FOR_PHOTOS = "clip-attr:ViT-B-16-quickgelu/openai --proposer torchvision"


def add_model_name_argument(parser: argparse.ArgumentParser) -> None:
    """Add --model."""
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        help="shipped weights, a checkpoint folder, hf:ORGANISATION/NAME, "
        "clip-attr:ARCHITECTURE/TAG_OR_FILE, or a file of ovarnet export (.onnx)",
    )


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --model and --proposer."""
    add_model_name_argument(parser)
    parser.add_argument(
        "--proposer",
        help="where boxes come from: shipped weights, torchvision, detectron2:CONFIG,WEIGHTS, a "
        "checkpoint folder, or computed proposals: a JSON file or a folder of ovarnet propose "
        "(default: the model's own)",
    )


def add_device_argument(parser: argparse.ArgumentParser) -> None:
    """Add --device."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")


def note_on_shipped_weights(model: str) -> None:
    """Say in one line on stderr that the weights `model` have never seen a photo, if so."""
    if model in TRAINED_ON_SCENES:
        for_photos = PHOTOS if PHOTOS in shipped_models() else STOCK_FOR_PHOTOS
        print(
            f"note: the weights '{model}' were trained on drawn scenes and have never seen a "
            f"photo; for photos: --model {for_photos}",
            file=sys.stderr,
        )

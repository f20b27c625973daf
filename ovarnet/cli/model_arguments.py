"""Arguments of every command that runs a model: --model, --proposer and --device."""

from __future__ import annotations

import argparse
import sys

TRAINED_ON_SCENES = ("scenes", "scenes-clip-attr")
"""Shipped weights that were trained on the generated world alone."""


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --model and --proposer."""
    parser.add_argument(
        "--model",
        default="scenes",
        help="shipped weights, a checkpoint folder, or clip-attr:ARCHITECTURE/TAG_OR_FILE",
    )
    parser.add_argument(
        "--proposer",
        help="where boxes come from: scenes, torchvision, a checkpoint folder, or computed "
        "proposals: a JSON file or a folder of ovarnet propose (default: the model's own)",
    )


def add_device_argument(parser: argparse.ArgumentParser) -> None:
    """Add --device."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")


def note_on_shipped_weights(model: str) -> None:
    """Say in one line on stderr that the weights `model` have never seen a photo, if so."""
    if model in TRAINED_ON_SCENES:
        print(
            f"note: the weights '{model}' were trained on drawn scenes and have never seen a "
            "photo; for photos: --model clip-attr:ViT-B-16-quickgelu/openai --proposer torchvision",
            file=sys.stderr,
        )

"""--model, --proposer and --device, the same for every command that runs a model."""

from __future__ import annotations

import argparse


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        default="scenes",
        help="shipped weights, a checkpoint folder, or clip-attr:ARCHITECTURE/TAG_OR_FILE",
    )
    parser.add_argument(
        "--proposer",
        help="where boxes come from: scenes, torchvision, a checkpoint folder, or proposals: a "
        "JSON file or "
        "a folder of ovarnet propose (default: the model's own)",
    )


def add_device_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")

#!/usr/bin/env python
"""Time the shipped models for photos beside the image part of OWL-ViT B/32, in one run.

    python tools/benchmark_owlvit.py --threads 2

OWL-ViT has random weights, which take as long as trained ones; its image part is the vision tower
on one image of 768 x 768, without text and without heads. Ours is all of `detect`, from a decoded
image to boxes with scores, with words encoded before: all boxes that are found, and those above the
model's default threshold. Medians of passes that take turns, after one that is not counted.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

import ovarnet
from ovarnet.io.images import read_image

IMAGE = Path(ovarnet.__file__).parent / "examples" / "astronaut.jpg"
WORDS = {"categories": ["person", "dog", "chair"], "attributes": ["red", "wooden", "furry"]}


def owlvit_image_part() -> Callable[[], object]:
    """A call of the vision tower of OWL-ViT B/32."""
    from transformers import OwlViTConfig, OwlViTModel

    tower = OwlViTModel(OwlViTConfig()).vision_model.eval()
    pixels = torch.rand(1, 3, 768, 768)
    return lambda: tower(pixels)


def detections(name: str, image: np.ndarray) -> dict[str, Callable[[], object]]:
    """Calls of `detect` of a shipped model."""
    model = ovarnet.load(name, device="cpu")
    words = model.encode_vocabulary(**WORDS)
    shown = model.model.threshold
    return {
        f"{name}, all boxes": lambda: model.detect(image, vocabulary=words),
        f"{name}, from {shown}": lambda: model.detect(image, vocabulary=words, threshold=shown),
    }


@torch.no_grad()
def main() -> None:
    """Print seconds and ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--passes", type=int, default=7)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    image = read_image(IMAGE)
    calls = {
        "OWL-ViT B/32, image part": owlvit_image_part(),
        **detections("photos", image),
        **detections("photos-clip-attr", image),
    }
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in tqdm(range(args.passes + 1), unit="pass"):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if number:
                seconds[name].append(time.perf_counter() - start)
    machine = platform.processor() or platform.machine()
    print(f"{machine}, {args.threads} threads, torch {torch.__version__}")
    peer = statistics.median(seconds["OWL-ViT B/32, image part"])
    for name, times in seconds.items():
        median = statistics.median(times)
        print(
            f"{name:28s} {median:7.3f} s   {peer / median:5.1f} x as fast as OWL-ViT's image part"
        )


if __name__ == "__main__":
    main()

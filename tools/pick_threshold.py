#!/usr/bin/env python
"""Print how right a model's detections are at every threshold, on images with whole annotations.

    python tools/pick_threshold.py --model FOLDER --root runs/photos/data/detection

A detection is right where its best category is that of an annotated box with IoU 0.5 or more that
no better detection has. Difficult and crowd boxes count neither way. The last line names the
threshold of the highest F1; the table of scores is the reliability of the score as a probability.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from torchvision.ops import box_iou
from tqdm import tqdm

import ovarnet
from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.io.images import read_image
from ovarnet.structures import Annotations, Detections

IOU = 0.5
THRESHOLDS = np.arange(0.1, 0.96, 0.05)


def judged(found: Detections, image: Annotations, words: list[str]) -> list[tuple[float, bool]]:
    """(score, is right) of the detections of one image that count."""
    free = torch.ones(len(image), dtype=torch.bool)
    overlap = box_iou(found.boxes.float(), image.boxes)
    rows = []
    for row in found.scores.argsort(descending=True, stable=True).tolist():
        same = torch.tensor(
            [words[int(column)] == found.best_category[row] for column in image.categories]
        ).bool()
        fits = free & same & (overlap[row] >= IOU)
        if not fits.any():
            rows.append((float(found.scores[row]), False))
            continue
        best = int((overlap[row] * fits).argmax())
        free[best] = False
        if not image.is_ignored[best]:
            rows.append((float(found.scores[row]), True))
    return rows


def main() -> int:
    """Run the model over the images; 2 for bad input."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True)
    parser.add_argument("--root", type=Path, required=True, help="a folder of the kind custom")
    parser.add_argument("--split", default="val")
    parser.add_argument("--limit", type=int, help="only the first images")
    args = parser.parse_args()
    try:
        print_table(args)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def print_table(args: argparse.Namespace) -> None:
    """Precision, recall and F1 by threshold, and the share of right ones by score."""
    model = ovarnet.load(args.model)
    vocabulary, images = open_dataset("custom", args.root, args.split)
    words = [word.name for word in vocabulary.categories]
    encoded = model.encode_vocabulary(words, [])
    rows, total = [], 0
    for image in tqdm(images[: args.limit], unit="image"):
        total += int((~image.is_ignored).sum())
        rows += judged(model.detect(read_image(image.file), vocabulary=encoded), image, words)
    scores, right = (np.array(column) for column in zip(*rows, strict=True))
    best = (0.0, 0.0)
    print("threshold  detections  precision  recall    F1   right of those up to 0.05 higher")
    for threshold in THRESHOLDS:
        kept = scores >= threshold
        band = kept & (scores < threshold + 0.05)
        precision = right[kept].mean() if kept.any() else 0.0
        recall = right[kept].sum() / max(total, 1)
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        best = max(best, (f1, threshold))
        share = f"{right[band].mean():.1%} of {band.sum()}" if band.any() else "-"
        numbers = f"{precision:9.1%}  {recall:6.1%}  {f1:6.1%}"
        print(f"{threshold:9.2f}  {kept.sum():10d}  {numbers}   {share}")
    print(f"highest F1 at {best[1]:.2f}")


if __name__ == "__main__":
    sys.exit(main())

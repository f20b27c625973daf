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
from tqdm import tqdm

import ovarnet
from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.evaluation.word_thresholds import matched
from ovarnet.io.images import read_image

THRESHOLDS = np.arange(0.1, 0.96, 0.05)


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
        found = model.detect(read_image(image.file), vocabulary=encoded)
        rows += [(score, right) for _, score, right in matched(found, image, words)]
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

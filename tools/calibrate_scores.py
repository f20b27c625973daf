#!/usr/bin/env python
"""Make a model's detection scores say how often a detection is right, and choose how it selects.

    python tools/calibrate_scores.py --model FOLDER --root runs/photos/data/detection --write

The model searches validation images with whole annotations for all their categories. A detection is
right where its best category is that of an annotated box with IoU 0.5 or more that no better
detection has; difficult and crowd boxes count neither way. NMS is tried at several IoUs; the one of
the highest F1 is taken. Printed are precision, recall and F1 at every threshold, and how often
detections of each score are right. F1 changes little over a range of thresholds; the highest one
whose F1 is nearly the best shows the fewest wrong boxes. --write stores NMS IoU, threshold and fit
in the config.yaml of the checkpoint folder. --figure draws the reliability.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import yaml
from torch import Tensor
from tqdm import tqdm

import ovarnet
from ovarnet.build import find_checkpoint
from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.evaluation.word_thresholds import matched
from ovarnet.io.files import write_text
from ovarnet.io.images import read_image
from ovarnet.modeling.score_calibration import ScoreCalibration, fit_score_calibration

THRESHOLDS = np.arange(0.05, 0.96, 0.05)
NMS_IOUS = (0.6, 0.5, 0.4, 0.3)
"""Tried, the usual ones; a lower one would take boxes of neighbours away in crowds."""
NEARLY = 0.02
"""F1 that a higher threshold may cost."""


class Searched(NamedTuple):
    """The detections on all images.

    Attributes:
        scores: (N,) uncalibrated.
        right: (N,) bool.
    """

    scores: Tensor
    right: Tensor

    def highest_f1(self, total: int) -> float:
        """Over all thresholds, where `total` boxes are to be found."""
        right = self.right[self.scores.argsort(descending=True, stable=True)].cumsum(0)
        return float((2 * right / (torch.arange(1, len(right) + 1) + total)).max())


def run_model(args: argparse.Namespace) -> tuple[dict[float, Searched], int]:
    """Detections with NMS at each of `NMS_IOUS`, and how many boxes there are to find."""
    vocabulary, images = open_dataset("custom", args.root, args.split)
    model = ovarnet.load(args.model)
    model.model.score_calibration = ScoreCalibration()
    words = [word.name for word in vocabulary.categories]
    encoded = model.encode_vocabulary(words, [])
    rows: dict[float, list[tuple[float, bool]]] = {iou: [] for iou in NMS_IOUS}
    total = 0
    for image in tqdm(images[: args.limit], unit="image"):
        total += int((~image.is_ignored).sum())
        seen = model.embed(read_image(image.file))
        for iou in NMS_IOUS:
            found = model.score(seen, vocabulary=encoded, nms_iou=iou)
            rows[iou] += [(score, right) for _, score, right in matched(found, image, words)]
    for found in rows.values():
        if len({is_right for _, is_right in found}) < 2:
            raise InputError(
                f"{args.root}: the {len(found)} detections are all right or all wrong; nothing can "
                "be fitted to them"
            )
    columns = {iou: zip(*found, strict=True) for iou, found in rows.items()}
    return {iou: Searched(*map(torch.tensor, column)) for iou, column in columns.items()}, total


def best_nms_iou(results: Mapping[float, Searched], total: int) -> float:
    """Print the highest F1 of each; the IoU of the highest, the first of equals."""
    measured = {iou: found.highest_f1(total) for iou, found in results.items()}
    for iou, f1 in measured.items():
        print(f"NMS at IoU {iou:g}: highest F1 {f1:.1%}")
    return max(measured, key=lambda iou: measured[iou])


def best_threshold(scores: Tensor, right: Tensor, total: int) -> float:
    """Print the table; the highest threshold whose F1 is at most `NEARLY` below the best."""
    measured: list[tuple[float, float]] = []
    print("threshold  detections  precision  recall     F1   right of those up to 0.05 higher")
    for threshold in THRESHOLDS.tolist():
        kept = scores >= threshold
        band = kept & (scores < threshold + 0.05)
        precision = float(right[kept].float().mean()) if kept.any() else 0.0
        recall = int(right[kept].sum()) / max(total, 1)
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        measured.append((threshold, f1))
        share = (
            f"{float(right[band].float().mean()):.1%} of {int(band.sum())}" if band.any() else "-"
        )
        numbers = f"{precision:9.1%}  {recall:6.1%}  {f1:6.1%}"
        print(f"{threshold:9.2f}  {int(kept.sum()):10d}  {numbers}   {share}")
    best = max(f1 for _, f1 in measured)
    chosen = max(threshold for threshold, f1 in measured if f1 >= best - NEARLY)
    print(f"highest F1 {best:.1%}; up to {NEARLY:.0%} less at {chosen:.2f}")
    return round(chosen, 2)


def write_settings(
    folder: Path, calibration: ScoreCalibration, threshold: float, nms_iou: float
) -> None:
    """Store them in a checkpoint's config.yaml."""
    file = folder / "config.yaml"
    settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    settings |= {
        "threshold": threshold,
        "nms_iou": nms_iou,
        "score_calibration": [round(value, 4) for value in calibration],
    }
    write_text(file, yaml.safe_dump(settings, sort_keys=False))


def draw(path: Path, scores: Sequence[Tensor], right: Tensor) -> None:
    """Share of right detections by score, before and after, beside what the score says."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.2), layout="constrained")
    for axes, values, title in zip(
        figure.subplots(1, 2, sharey=True), scores, ("before", "calibrated"), strict=True
    ):
        edges = torch.linspace(0, 1, 11)
        bins = (values * 10).long().clamp(max=9)
        shares = [
            float(right[bins == b].float().mean()) if (bins == b).any() else 0 for b in range(10)
        ]
        axes.bar(edges[:-1] + 0.05, shares, width=0.09, color="#4c78a8")
        axes.plot([0, 1], [0, 1], color="black", linewidth=1)
        axes.set(title=title, xlabel="detection score", xlim=(0, 1), ylim=(0, 1))
        axes.set_ylabel("share that is right" if title == "before" else "")
    figure.savefig(path, dpi=120)


def main() -> int:
    """Run the model over the images; 2 for bad input."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="a checkpoint folder, or a shipped name")
    parser.add_argument("--root", type=Path, required=True, help="a folder of the kind custom")
    parser.add_argument("--split", default="val", help="a split without a training image")
    parser.add_argument("--limit", type=int, help="only the first images")
    parser.add_argument("--write", action="store_true", help="store the result with the model")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="draw the reliability, PNG")
    args = parser.parse_args()
    try:
        results, total = run_model(args)
        nms_iou = best_nms_iou(results, total)
        scores, right = results[nms_iou]
        calibration = fit_score_calibration(scores, right)
        calibrated = calibration(scores)
        threshold = best_threshold(calibrated, right, total)
        print(
            f"scale {calibration.scale:.4f}, bias {calibration.bias:.4f}, {len(scores)} detections"
        )
        if args.figure:
            draw(args.figure, (scores, calibrated), right)
        if args.write:
            folder = Path(find_checkpoint(args.model))
            write_settings(folder, calibration, threshold, nms_iou)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

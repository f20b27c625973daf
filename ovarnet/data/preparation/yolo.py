"""YOLO text files: checked, and the vocabulary written."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.preparation.findings import Findings
from ovarnet.data.preparation.labelled import SplitSource, check_splits
from ovarnet.data.yolo import SPLITS, read_yolo, yolo_splits

__all__ = ["SPLITS", "prepare"]


def prepare(root: Path, splits: tuple[str, ...], sample: int, findings: Findings) -> None:
    """Check the files and write their words to vocabulary.json.

    Args:
        root: folder of the dataset.
        splits: which splits.
        sample: how many images to decode.
        findings: where to report.
    """
    sizes, there = ImageSizes(root), yolo_splits(root)
    wanted = [split for split in splits if split in there]
    if not wanted:
        findings.missing(
            f"{root}: data.yaml names no images for any of "
            f"{', '.join(splits)}; datasets/README.md draws the tree"
        )
    check_splits(
        root,
        {
            split: SplitSource(f"{root}: {split}", partial(read_yolo, root, split, read_size=sizes))
            for split in wanted
        },
        has_training="train" in there,
        sizes=sizes,
        sample=sample,
        findings=findings,
    )

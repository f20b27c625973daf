"""VOC XML files: checked, and the vocabulary written."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.preparation.findings import Findings
from ovarnet.data.preparation.labelled import SplitSource, check_splits
from ovarnet.data.voc import SPLITS, read_voc, voc_splits

__all__ = ["SPLITS", "prepare"]


def prepare(root: Path, splits: tuple[str, ...], sample: int, findings: Findings) -> None:
    """Check the files and write their words to vocabulary.json.

    Args:
        root: folder of the dataset.
        splits: which splits.
        sample: how many images to decode.
        findings: where to report.
    """
    sizes, there = ImageSizes(root), voc_splits(root)
    wanted = [split for split in splits if split in there]
    if not wanted:
        findings.missing(
            f"{root}: neither ImageSets/Main/SPLIT.txt nor a folder SPLIT with XML files is there, "
            f"for SPLIT one of {', '.join(splits)}; datasets/README.md draws the tree"
        )
    check_splits(
        root,
        {
            split: SplitSource(f"{root}: {split}", partial(read_voc, root, split, read_size=sizes))
            for split in wanted
        },
        has_training="train" in there,
        sizes=sizes,
        sample=sample,
        findings=findings,
    )

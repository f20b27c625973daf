"""YOLO text files: checked, and the vocabulary written."""

from __future__ import annotations

from pathlib import Path

from ovarnet.data.preparation.findings import Findings
from ovarnet.data.preparation.labelled import check_root
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
    check_root(
        root,
        splits,
        read_yolo,
        available=yolo_splits(root),
        missing=f"data.yaml names no images for any of {', '.join(splits)}",
        sample=sample,
        findings=findings,
    )

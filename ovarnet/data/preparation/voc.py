"""VOC XML files: checked, and the vocabulary written."""

from __future__ import annotations

from pathlib import Path

from ovarnet.data.preparation.findings import Findings
from ovarnet.data.preparation.labelled import check_root
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
    check_root(
        root,
        splits,
        read_voc,
        available=voc_splits(root),
        missing=(
            "neither ImageSets/Main/SPLIT.txt nor a folder SPLIT with XML files is there, "
            f"for SPLIT one of {', '.join(splits)}"
        ),
        sample=sample,
        findings=findings,
    )

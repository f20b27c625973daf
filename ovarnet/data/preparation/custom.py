"""One's own data as COCO-style JSON: checked, and the vocabulary written."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ovarnet.data.custom import SPLITS, read_custom
from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.preparation.findings import Findings
from ovarnet.data.preparation.labelled import SplitSource, check_splits
from ovarnet.data.preparation.pictures import unnamed

__all__ = ["SPLITS", "prepare"]


def prepare(root: Path, splits: tuple[str, ...], sample: int, findings: Findings) -> None:
    """Check the files of one's own data and write their words to vocabulary.json.

    Args:
        root: folder of the dataset.
        splits: which splits.
        sample: how many images to decode.
        findings: where to report.
    """
    folder, sizes = root / "images", ImageSizes(root)
    files = {
        split: root / f"{split}.json" for split in splits if (root / f"{split}.json").is_file()
    }
    if not files:
        findings.missing(
            f"{root}: none of {', '.join(f'{split}.json' for split in splits)} is there; "
            "docs/own_data.md shows the form"
        )
    if not folder.is_dir():
        findings.missing(
            f"{folder}: put your images there (subfolders are welcome; file_name is the path "
            "inside)"
        )
    if not files or not folder.is_dir():
        return
    used = check_splits(
        root,
        {
            split: SplitSource(str(file), partial(read_custom, file, folder, read_size=sizes))
            for split, file in files.items()
        },
        has_training=(root / "train.json").is_file(),
        sizes=sizes,
        sample=sample,
        findings=findings,
    )
    if used:
        unnamed(folder, used, findings)

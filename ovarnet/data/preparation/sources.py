"""Where each file of a dataset comes from, for the messages of ``ovarnet prepare``."""

from __future__ import annotations

from pathlib import Path

from ovarnet.data.preparation.findings import Findings

_COCO_ANNOTATIONS = (
    "http://images.cocodataset.org/annotations/annotations_trainval2017.zip (241 "
    "MB), unzipped in {root}"
)
_VAW = (
    "the folder data/ of https://github.com/adobe-research/vaw_dataset, its files copied to {root}"
)
_VG = (
    "Visual Genome's images, parts 1 and 2 (15 GB), "
    "https://homes.cs.washington.edu/~ranjay/visualgenome/api.html, "
    "unzipped in {root}/images (VG_100K and VG_100K_2 may stay as they are)"
)
_LSA = "release v1.0 of https://github.com/adobe-research/vaw_dataset, unzipped in {root}"

SOURCES = {
    "annotations/instances_*2017.json": _COCO_ANNOTATIONS,
    "annotations/captions_*2017.json": _COCO_ANNOTATIONS,
    "train2017": "http://images.cocodataset.org/zips/train2017.zip (18 GB), unzipped in {root}",
    "val2017": "http://images.cocodataset.org/zips/val2017.zip (0.8 GB), unzipped in {root}, or a "
    "link to the folder where you have it",
    "vaw labels": _VAW,
    "vaw images": _VG,
    "ovad2000.json": "the annotation file of https://ovad-benchmark.github.io, as "
    "{root}/ovad2000.json",
    "lsa labels": _LSA,
    "lsa split": "OvarNet's list of base and novel words (attributes/LSA of "
    "https://github.com/KyanChen/OvarNet), as {path}; or write one: "
    '{{"common": {{word: 0, ...}}, "rare": {{word: 5526, ...}}}}, the first group being the base '
    "words",
    "vg": _VG.replace("{root}/images (", "{root}/images/vg ("),
    "flickr": "Flickr30k's images, on request from "
    "https://shannon.cs.illinois.edu/DenotationGraph, in {root}/images/flickr",
    "coco": "COCO's train2017 and val2017 images (https://cocodataset.org/#download), in "
    "{root}/images/coco",
    "oi": "Open Images V6 (https://storage.googleapis.com/openimages/web/download.html), in "
    "{root}/images/oi",
    "scenes": "nothing to download: ovarnet generate scenes --root {root}",
}


def is_there(path: Path, source: str, root: Path, findings: Findings) -> bool:
    """Whether a file, or a folder with something in it, exists; a finding says if it does not.

    Args:
        path: the file or folder.
        source: key of `SOURCES`, which says what to download.
        root: folder of the dataset.
        findings: where to report what is missing.
    """
    if has_content(path):
        return True
    findings.missing(f"{path}: {where_to_get(path, source, root)}")
    return False


def has_content(path: Path) -> bool:
    """Whether there is such a file, or such a folder with something in it."""
    return path.is_file() or (path.is_dir() and any(path.iterdir()))


def where_to_get(path: Path, source: str, root: Path) -> str:
    """What to download, and where it belongs.

    Args:
        path: the missing file or folder.
        source: key of `SOURCES`.
        root: folder of the dataset.
    """
    return f"get {SOURCES[source].format(root=root, path=path)}"

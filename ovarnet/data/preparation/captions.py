"""Caption corpora: COCO's captions and images, and any TSV, JSON lines or WebDataset file (CC3M,
CC12M) in the folder.
"""

from __future__ import annotations

from pathlib import Path

from ovarnet.data.caption_files import LINES, SHARDS, TABLES, read_caption_file
from ovarnet.data.captions import load_captions
from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.preparation.findings import Findings
from ovarnet.data.preparation.pictures import check_decoding, check_pictures
from ovarnet.data.preparation.sources import is_there
from ovarnet.io.skipped import Skipped

SPLITS = ("train", "val")
KINDS = (*TABLES, *LINES, *SHARDS)


def prepare(root: Path, splits: tuple[str, ...], sample: int, findings: Findings) -> None:
    corpora = [
        path for path in sorted(root.iterdir()) if path.is_file() and _is_corpus(path, findings)
    ]
    for path in corpora:
        _check_corpus(path, -(-sample // len(corpora)), findings)
    sizes, files = ImageSizes(root), []
    wanted = [
        split
        for split in splits
        if not corpora or (root / "annotations" / f"captions_{split}2017.json").is_file()
    ]
    for split in wanted:
        file, folder = root / "annotations" / f"captions_{split}2017.json", root / f"{split}2017"
        if not is_there(file, "annotations/captions_*2017.json", root, findings):
            continue
        has_images, notes = is_there(folder, folder.name, root, findings), Skipped()
        images = load_captions(file, folder if has_images else None, notes)
        captions = sum(len(image.captions) for image in images)
        findings.ok(
            f"{file}: {captions:,} captions of {len(images):,} images, "
            f"{captions / max(1, len(images)):.2f} each"
        )
        findings.skipped(file, notes)
        files += [image.file for image in images] if has_images else []
    if files:
        check_pictures(files, sizes, sample, findings)


def _is_corpus(path: Path, findings: Findings) -> bool:
    """By its name, as `read_caption_file` reads it; a .txt only when its first line has a TAB,
    which that of a README has not.
    """
    if Path(path.name.lower().removesuffix(".gz")).suffix not in KINDS:
        return False
    with path.open("rb") as file:
        is_text = path.suffix.lower() == ".txt" and b"\t" not in file.readline()
    if is_text:
        findings.note(f"{path}: no TAB in its first line, so no table of captions; not used")
    return not is_text


def _check_corpus(path: Path, sample: int, findings: Findings) -> None:
    """The images of a table lie anywhere and are counted by the loaders; those of a shard are
    opened here.
    """
    broken, images, captions, members = Skipped(), 0, 0, []
    for item in read_caption_file(path, broken):
        images, captions = images + 1, captions + len(item.captions)
        members += [item.member] if item.member else []
    (findings.ok if images else findings.problem)(
        f"{path}: {captions:,} captions of {images:,} images"
    )
    findings.skipped(path, broken)
    if members:
        check_decoding(members, sample, findings)

"""Caption corpora: COCO's captions, and any table, JSON lines or shards in the folder."""

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
SUFFIXES = (*TABLES, *LINES, *SHARDS)


def prepare(root: Path, splits: tuple[str, ...], sample: int, findings: Findings) -> None:
    """Check caption corpora; COCO's are needed only if there is no other.

    Args:
        root: folder of the corpora.
        splits: which splits of COCO.
        sample: how many images to decode.
        findings: where to report.
    """
    corpora = [
        path for path in sorted(root.iterdir()) if path.is_file() and _is_corpus(path, findings)
    ]
    for path in corpora:
        _check_corpus(path, -(-sample // len(corpora)), findings)
    sizes, files = ImageSizes(root), list[str]()
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
    """Whether a file is a corpus by its name; a .txt only if its first line has a TAB."""
    if Path(path.name.lower().removesuffix(".gz")).suffix not in SUFFIXES:
        return False
    with path.open("rb") as file:
        is_text = path.suffix.lower() == ".txt" and b"\t" not in file.readline()
    if is_text:
        findings.note(f"{path}: no TAB in its first line, so no table of captions; not used")
    return not is_text


def _check_corpus(path: Path, sample: int, findings: Findings) -> None:
    """Count captions and decode images of shards; those of tables may be anywhere."""
    broken, images, captions = Skipped(), 0, 0
    members: list[str] = []
    for item in read_caption_file(path, broken):
        images, captions = images + 1, captions + len(item.captions)
        members += [item.member] if item.member else []
    (findings.ok if images else findings.problem)(
        f"{path}: {captions:,} captions of {images:,} images"
    )
    findings.skipped(path, broken)
    if members:
        check_decoding(members, sample, findings)

"""OVAD: its one file and COCO's val2017 images checked. It is a test set: nothing is built."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.ovad import load_ovad
from ovarnet.data.preparation.findings import PUBLISHED, Findings
from ovarnet.data.preparation.pictures import check_pictures
from ovarnet.data.preparation.sources import is_there
from ovarnet.io.skipped import Skipped
from ovarnet.structures import NEGATIVE, POSITIVE
from ovarnet.vocabulary import Vocabulary

SPLITS = ("test",)
RELEASE = {
    "images": 2_000,
    "categories": 80,
    "base categories": 48,
    "attributes": 117,
    "types": 24,
    "parent types": 19,
    "head": 16,
    "medium": 55,
    "tail": 46,
}


def prepare(root: Path, _splits: tuple[str, ...], sample: int, findings: Findings) -> None:
    """Check OVAD.

    Args:
        root: folder of the dataset.
        _splits: it has one.
        sample: how many images to decode.
        findings: where to report.
    """
    file, folder = root / "ovad2000.json", root / "val2017"
    sizes, notes = ImageSizes(root), Skipped()
    has_images = is_there(folder, "val2017", root, findings)
    if not is_there(file, "ovad2000.json", root, findings):
        return
    vocabulary, images = load_ovad(file, folder if has_images else None, notes, sizes)
    findings.counts({"images": len(images), **_word_counts(vocabulary)}, RELEASE)
    labels = {
        label: sum(int((image.attributes == label).sum()) for image in images)
        for label in (POSITIVE, NEGATIVE)
    }
    findings.ok(
        f"{sum(map(len, images)):,} objects (the release has about 14,300), {labels[POSITIVE]:,} "
        f"positive and {labels[NEGATIVE]:,} negative labels"
    )
    findings.skipped(file, notes, PUBLISHED)
    if has_images:
        files = [image.file for image in images]
        check_pictures(files, sizes, sample, findings)
        sizes.save(files)


def _word_counts(vocabulary: Vocabulary) -> dict[str, int]:
    words = vocabulary.attributes
    return {
        "categories": len(vocabulary.categories),
        "base categories": int(vocabulary.category_seen.sum()),
        "attributes": len(words),
        "types": len({word.parent for word in words}),
        "parent types": len({word.family for word in words}),
        **Counter(str(word.group) for word in words),
    }

"""LSA: files, split lists and the images of its four sources checked; how the boxes of Visual
Genome are written is reported.
"""

from __future__ import annotations

from pathlib import Path

from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.lsa import READER, SOURCES, LsaImages, load_lsa, lsa_folders, lsa_vocabulary
from ovarnet.data.preparation.findings import PUBLISHED, Findings
from ovarnet.data.preparation.pictures import check_pictures
from ovarnet.data.preparation.sources import is_there
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped
from ovarnet.vocabulary import Vocabulary

SPLITS = READER.splits
RELEASE = {
    "common2common.json": {"base words": 4_921, "novel words": 587},
    "common2rare.json": {"base words": 5_526, "novel words": 4_012},
}


def prepare(root: Path, splits: tuple[str, ...], sample: int, findings: Findings) -> None:
    vocabulary, sizes, images = _words(root, findings), ImageSizes(root), {}
    for source in SOURCES:
        is_there(root / "images" / source, source, root, findings)
    for split in splits:
        if (
            is_there(root / f"{split}.json", "lsa labels", root, findings)
            and vocabulary.attributes
            and lsa_folders(root)
        ):
            images[split] = _check(root, split, vocabulary, sizes, findings)
    files = {
        split: [image.image.file for image in found.labelled] for split, found in images.items()
    }
    everything = [file for split in files.values() for file in split]
    if everything:
        check_pictures(everything, sizes, sample, findings, files.values())
        sizes.save(everything)


def _words(root: Path, findings: Findings) -> Vocabulary:
    """The words of all split files that are there; each is counted."""
    vocabulary = Vocabulary()
    for name in READER.divisions.values():
        if is_there(root / name, "lsa split", root, findings):
            words = lsa_vocabulary(root / name)
            base = int(words.attribute_seen.sum())
            found = {"base words": base, "novel words": len(words.attributes) - base}
            findings.counts(
                {f"{what} in {name}": number for what, number in found.items()},
                {f"{what} in {name}": number for what, number in RELEASE[name].items()},
            )
            vocabulary = vocabulary.merge(words)
    return vocabulary


def _check(
    root: Path, split: str, vocabulary: Vocabulary, sizes: ImageSizes, findings: Findings
) -> LsaImages:
    notes, file = Skipped(), root / f"{split}.json"
    try:
        images = load_lsa(file, lsa_folders(root), vocabulary, skipped=notes, read_size=sizes)
    except InputError as error:
        findings.problem(str(error))
        return LsaImages([], 0, 0)
    objects = sum(len(image.boxes) for image in images.labelled)
    labels = sum(len(columns) for image in images.labelled for columns in image.positives)
    findings.ok(
        f"{file}: usable are {objects:,} objects in {len(images):,} images with {labels:,} labels"
        + (" (the release has 14.16 million)" if split == "train" else "")
    )
    if images.visual_genome.boxes:
        findings.note(f"{file}: {images.visual_genome}")
    findings.skipped(file, notes, PUBLISHED)
    return images

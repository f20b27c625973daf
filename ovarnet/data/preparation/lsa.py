"""LSA: files, split lists and the images of its four sources checked.

How the boxes of Visual Genome are written is reported.
"""

from __future__ import annotations

from pathlib import Path

from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.lsa import READER, SOURCES, LsaImages, load_lsa, lsa_folders, lsa_vocabulary
from ovarnet.data.preparation.findings import PUBLISHED, Findings
from ovarnet.data.preparation.pictures import check_pictures
from ovarnet.data.preparation.sources import has_content, is_there, where_to_get
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped
from ovarnet.vocabulary import Vocabulary

SPLITS = READER.splits
RELEASE = {
    "common2common.json": {"base words": 4_921, "novel words": 587},
    "common2rare.json": {"base words": 5_526, "novel words": 4_012},
}


def prepare(root: Path, splits: tuple[str, ...], sample: int, findings: Findings) -> None:
    """Check LSA; some of its image sources and one of its divisions are enough.

    Args:
        root: folder of the dataset.
        splits: which splits.
        sample: how many images to decode.
        findings: where to report.
    """
    vocabulary, sizes = _words(root, findings), ImageSizes(root)
    has_images = _check_sources(root, findings)
    images = {
        split: _check(root, split, vocabulary, sizes, findings)
        for split in splits
        if is_there(root / f"{split}.json", "lsa labels", root, findings)
        and vocabulary.attributes
        and has_images
    }
    files = {
        split: [image.image.file for image in found.labelled] for split, found in images.items()
    }
    everything = [file for split in files.values() for file in split]
    if everything:
        check_pictures(everything, sizes, sample, findings, files.values())
        sizes.save(everything)


def _check_sources(root: Path, findings: Findings) -> bool:
    """Whether there are images of any source."""
    folders = {source: root / "images" / source for source in SOURCES}
    has_any = any(map(has_content, folders.values()))
    for source, folder in folders.items():
        if not has_any:
            is_there(folder, source, root, findings)
        elif not has_content(folder):
            findings.note(
                f"{folder}: not there, so the images of {source} are left out; to use them, "
                f"{where_to_get(folder, source, root)}"
            )
    return has_any


def _words(root: Path, findings: Findings) -> Vocabulary:
    """The words of all split files that are there; each is counted."""
    vocabulary = Vocabulary()
    has_any = any((root / name).is_file() for name in READER.divisions.values())
    for division, name in READER.divisions.items():
        path = root / name
        if path.is_file():
            words = lsa_vocabulary(path)
            base = int(words.attribute_seen.sum())
            found = {"base words": base, "novel words": len(words.attributes) - base}
            findings.counts(
                {f"{what} in {name}": number for what, number in found.items()},
                {f"{what} in {name}": number for what, number in RELEASE[name].items()},
            )
            vocabulary = vocabulary.merge(words)
        elif has_any:
            findings.note(
                f"{path}: not there, so lsa:{division} cannot be used; to use it, "
                f"{where_to_get(path, 'lsa split', root)}"
            )
        else:
            is_there(path, "lsa split", root, findings)
    return vocabulary


def _check(
    root: Path, split: str, vocabulary: Vocabulary, sizes: ImageSizes, findings: Findings
) -> LsaImages:
    notes, file = Skipped(), root / f"{split}.json"
    try:
        images = load_lsa(file, lsa_folders(root), vocabulary, skipped=notes, read_size=sizes)
    except InputError as error:
        findings.problem(str(error))
        return LsaImages([], (0, 0), 0)
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

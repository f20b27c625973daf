"""VAW: labels, metadata and Visual Genome's images checked, split files written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ovarnet.data.fields import as_id
from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.preparation.findings import PUBLISHED, Findings
from ovarnet.data.preparation.pictures import check_pictures
from ovarnet.data.preparation.sources import is_there
from ovarnet.data.vaw import FILES, READER, load_vaw, vaw_vocabulary
from ovarnet.errors import InputError
from ovarnet.io.files import write_json
from ovarnet.io.json_stream import stream_json
from ovarnet.io.skipped import Skipped
from ovarnet.structures import NEGATIVE, POSITIVE
from ovarnet.vocabulary import Vocabulary

SPLITS = READER.splits
METADATA = (
    "attribute_index.json",
    "attribute_types.json",
    "attribute_parent_types.json",
    "head_tail.json",
)
RARE = 100
"""A word with at most this many training labels, positive and negative, is rare (OvarNet's
common2rare)."""
RELEASE = {
    "train": {
        "instances": 216_790,
        "images": 58_565,
        "positive labels": 317_505,
        "negative labels": 339_871,
    },
    "val": {"instances": 12_286, "images": 3_317},
    "test": {
        "instances": 31_819,
        "images": 10_392,
        "positive labels": 57_029,
        "negative labels": 166_578,
    },
    "words": {
        "attributes": 620,
        "head": 300,
        "medium": 242,
        "tail": 78,
        "color": 84,
        "material": 49,
        "shape": 31,
        "size": 19,
        "action": 57,
        "state": 43,
        "texture": 23,
        "other": 314,
    },
    "whole": {"object names": 2_260},
}


def prepare(root: Path, splits: tuple[str, ...], sample: int, findings: Findings) -> None:
    """Check VAW and write its split files.

    Args:
        root: folder of the dataset.
        splits: which splits.
        sample: how many images to decode.
        findings: where to report.
    """
    metadata = [is_there(root / name, "vaw labels", root, findings) for name in METADATA]
    if not all(metadata):
        return
    vocabulary = vaw_vocabulary(root)
    findings.counts(_word_counts(vocabulary), RELEASE["words"])
    has_images, sizes = is_there(root / "images", "vaw images", root, findings), ImageSizes(root)
    images: dict[str, list[str]] = {}
    objects: set[str] = set()
    frequency: Counter[str] | None = None
    for split in splits:
        paths = [root / name for name in FILES[split]]
        if not all(is_there(path, "vaw labels", root, findings) for path in paths):
            continue
        survey = _survey(paths)
        findings.counts(
            {f"{what} in {split}": number for what, number in survey.counts.items()},
            {f"{what} in {split}": number for what, number in RELEASE[split].items()},
        )
        objects |= survey.objects
        frequency = survey.labels if split == "train" else frequency
        if has_images:
            images[split] = _check(paths, root, vocabulary, sizes, findings)
    if len(splits) == len(SPLITS):
        findings.counts({"object names": len(objects)}, RELEASE["whole"])
    _write_splits(root, vocabulary, frequency, findings)
    if images:
        everything = [file for files in images.values() for file in files]
        check_pictures(everything, sizes, sample, findings, images.values())
        sizes.save(everything)


def _word_counts(vocabulary: Vocabulary) -> Counter[str]:
    words = vocabulary.attributes
    return (
        Counter(attributes=len(words))
        + Counter(word.group or "in no group" for word in words)
        + Counter(str(word.family) for word in words)
    )


@dataclass
class _Survey:
    """Numbers of the files as they are, before anything is left out.

    `labels` counts the labels of each word, positive and negative together.
    """

    counts: dict[str, int]
    objects: set[str]
    labels: Counter[str]


def _survey(paths: list[Path]) -> _Survey:
    images: set[str | None] = set()
    counts = {"instances": 0, "positive labels": 0, "negative labels": 0}
    survey = _Survey(counts, set(), Counter())
    for record in (record.value for path in paths for record in stream_json(path, list)):
        if not isinstance(record, dict):
            continue
        counts["instances"] += 1
        images.add(as_id(record.get("image_id")))
        survey.objects.add(str(record.get("object_name")))
        for side in ("positive", "negative"):
            words = record.get(f"{side}_attributes")
            words = words if isinstance(words, list) else []
            words = [word for word in words if isinstance(word, str)]
            counts[f"{side} labels"] += len(words)
            survey.labels.update(words)
    counts["images"] = len(images)
    return survey


def _check(
    paths: list[Path], root: Path, vocabulary: Vocabulary, sizes: ImageSizes, findings: Findings
) -> list[str]:
    """Report counts and problems of one split; returns its usable image files."""
    notes, source = Skipped(), ", ".join(path.name for path in paths)
    try:
        images = load_vaw(paths, root / "images", vocabulary, skipped=notes, read_size=sizes)
    except InputError as error:
        findings.problem(str(error))
        return []
    findings.skipped(source, notes, PUBLISHED)
    usable = Counter({POSITIVE: 0, NEGATIVE: 0})
    for image in images:
        for label in usable:
            usable[label] += int((image.attributes == label).sum())
    findings.ok(
        f"{source}: usable are {sum(map(len, images)):,} instances in {len(images):,} images, "
        f"{usable[POSITIVE]:,} positive and {usable[NEGATIVE]:,} negative labels"
    )
    return [image.file for image in images]


def _write_splits(
    root: Path, vocabulary: Vocabulary, frequency: Counter[str] | None, findings: Findings
) -> None:
    """Write split files in OvarNet's form, {group: {name: id}}, with ids over both groups."""
    base, novel = (
        [word.name for word in vocabulary.attributes if word.seen is side] for side in (True, False)
    )
    findings.written(_write_split(root / "splits/base2novel.json", {"base": base, "novel": novel}))
    findings.note("base2novel is OvarNet's list of 79 novel words; no rule reproduces it")
    if frequency is not None:
        common = [name for name in vocabulary.attribute_names if frequency[name] > RARE]
        rare = [name for name in vocabulary.attribute_names if frequency[name] <= RARE]
        findings.count(
            "attributes with more than 100 training labels (the rest are rare)", len(common), 541
        )
        findings.written(
            _write_split(root / "splits/common2rare.json", {"common": common, "rare": rare})
        )
    if not (root / "common2common_att2id.json").is_file():
        findings.note(
            "the 489/52 division is a random draw of OvarNet's authors and cannot be derived; to "
            "use it, copy "
            "attributes/VAW/common2common_att2id.json of https://github.com/KyanChen/OvarNet to "
            f"{root}"
        )


def _write_split(path: Path, groups: dict[str, list[str]]) -> Path:
    names = [name for group in groups.values() for name in group]
    ids = {name: number for number, name in enumerate(names)}
    write_json(
        path,
        {group: {name: ids[name] for name in words} for group, words in groups.items()},
        indent=1,
    )
    return path

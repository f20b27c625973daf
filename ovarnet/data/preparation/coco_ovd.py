"""COCO-OVD: COCO 2017 checked, the annotation files of the 48/17 and 48/32 protocols built.

The rule is OVR-CNN's (datasets of Detic, RegionCLIP, OVAD): keep the annotations of the wanted
categories, crowds included; keep the images that own one; keep the wanted categories, all in their
order. Records are copied as they stand in the original.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from ovarnet.data.coco import coco_vocabulary, load_coco
from ovarnet.data.fields import as_id, as_name
from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.preparation.findings import PUBLISHED, Findings
from ovarnet.data.preparation.pictures import check_pictures, unnamed
from ovarnet.data.preparation.sources import is_there
from ovarnet.io.files import whole_file
from ovarnet.io.json_stream import stream_json
from ovarnet.io.skipped import Skipped
from ovarnet.splits import COCO_BASE, COCO_EXTRA_15, COCO_NOVEL_17
from ovarnet.vocabulary import Vocabulary

SPLITS = ("train", "val")
BUILT = {
    "train": {"base": COCO_BASE},
    "val": {
        "base_novel17": COCO_BASE | COCO_NOVEL_17,
        "base_novel32": COCO_BASE | COCO_NOVEL_17 | COCO_EXTRA_15,
    },
}
"""Split -> {end of the file name: the wanted categories}. Training sees the 48 base categories
under both protocols."""
RELEASE = {
    "train": {"images with a base box": 107_761, "base boxes": 665_387},
    "val": {"images with a base or novel box": 4_836, "base boxes": 28_538, "novel boxes": 4_614},
}


def prepare(root: Path, splits: tuple[str, ...], sample: int, findings: Findings) -> None:
    """Check COCO 2017 and write the annotation files of the protocols.

    Args:
        root: folder of the dataset.
        splits: which splits.
        sample: how many images to decode.
        findings: where to report.
    """
    sizes, images = ImageSizes(root), dict[str, list[str]]()
    for split in splits:
        file, folder = root / "annotations" / f"instances_{split}2017.json", root / f"{split}2017"
        if not is_there(file, "annotations/instances_*2017.json", root, findings):
            continue
        has_images = is_there(folder, folder.name, root, findings)
        images[split] = _check(file, folder if has_images else None, split, sizes, findings)
        for name, wanted in BUILT[split].items():
            findings.written(write_subset(file, file.with_name(f"{file.stem}_{name}.json"), wanted))
        if has_images:
            unnamed(folder, images[split], findings)
        else:
            del images[split]
    if images:
        everything = [file for files in images.values() for file in files]
        check_pictures(everything, sizes, sample, findings, images.values())
        sizes.save(everything)


def _check(
    file: Path, folder: Path | None, split: str, sizes: ImageSizes, findings: Findings
) -> list[str]:
    """Report counts and problems of one file; returns its usable image files."""
    vocabulary, notes = coco_vocabulary(file, "48/17"), Skipped()
    lost = sorted((COCO_BASE | COCO_NOVEL_17) - set(vocabulary.category_names))
    if lost:
        findings.note(f"{file}: {len(lost)} of the 65 categories are not in it, e.g. {lost[0]!r}")
    loaded = load_coco(file, folder, vocabulary, notes, sizes)
    findings.counts(_counts(file, vocabulary, split), RELEASE[split])
    findings.ok(
        f"{file}: usable are {sum(map(len, loaded)):,} boxes in "
        f"{sum(len(image) > 0 for image in loaded):,} images"
    )
    findings.skipped(file, notes, PUBLISHED)
    return [image.file for image in loaded]


def _counts(file: Path, vocabulary: Vocabulary, split: str) -> dict[str, int]:
    """Numbers of the file as it is, before anything is left out."""
    boxes: Counter[str] = Counter()
    owners: dict[str, set[str]] = defaultdict(set)
    names: dict[str, str] = {}
    # One pass, although COCO's files hold the categories last.
    for record in stream_json(file):
        value = record.value
        if record.position is None or not isinstance(value, dict):
            continue
        if record.key == "categories":
            names[str(as_id(value.get("id")))] = str(as_name(value.get("name")))
        elif record.key == "annotations":
            category = str(as_id(value.get("category_id")))
            boxes[category] += 1
            owners[category].add(str(as_id(value.get("image_id"))))
    is_base = {
        category: vocabulary.categories[vocabulary.category_index[name]].seen
        for category, name in names.items()
        if name in vocabulary.category_index
    }
    base, novel = (
        sum(boxes[category] for category in is_base if is_base[category] is side)
        for side in (True, False)
    )
    holders = set[str]().union(
        *(owners[category] for category in is_base if is_base[category] or split == "val")
    )
    if split == "train":
        return {"images with a base box": len(holders), "base boxes": base}
    return {
        "images with a base or novel box": len(holders),
        "base boxes": base,
        "novel boxes": novel,
    }


def write_subset(source: Path, target: Path, wanted: frozenset[str]) -> Path:
    """Apply the rule above, in two passes over the file and in the memory of its image ids.

    Args:
        source: COCO instances file.
        target: the file to write, atomically.
        wanted: names of the categories to keep.

    Returns:
        `target`.
    """
    categories = {
        as_id(value.get("id"))
        for value in _records(source, "categories")
        if as_name(value.get("name")) in wanted
    }
    owners = {
        as_id(value.get("image_id"))
        for value in _records(source, "annotations")
        if as_id(value.get("category_id")) in categories
    }
    keep: dict[str | None, Callable[[dict], bool]] = {
        "categories": lambda record: as_id(record.get("id")) in categories,
        "images": lambda record: as_id(record.get("id")) in owners,
        "annotations": lambda record: as_id(record.get("category_id")) in categories,
    }
    with whole_file(target) as unfinished, unfinished.open("w", encoding="utf-8") as out:
        _copy(source, out, keep)
    return target


def _records(source: Path, key: str) -> Iterator[dict[str, Any]]:
    for record in stream_json(source):
        if record.key == key and record.position is not None and isinstance(record.value, dict):
            yield record.value


def _copy(source: Path, out: TextIO, keep: dict[str | None, Callable[[dict], bool]]) -> None:
    """Copy the records as they stand in the file."""
    key: str | None = None
    opened, between = False, ""
    for record in stream_json(source):
        if record.key != key:
            out.write(
                ("]" if opened else "")
                + ("{" if key is None else ",\n")
                + f'"{record.key}": '
                + ("[" if record.position == 0 else "")
            )
            key, opened, between = record.key, record.position == 0, ""
        if record.position is None:
            out.write(record.text)
        elif key not in keep or keep[key](record.value):
            out.write(between + record.text)
            between = ",\n"
    out.write(("]" if opened else "") + "}\n")

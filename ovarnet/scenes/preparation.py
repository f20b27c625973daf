"""The generated world: complete, readable, and nothing novel in its training files."""

from __future__ import annotations

from pathlib import Path

from ovarnet.data.captions import load_captions
from ovarnet.data.coco import load_coco
from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.preparation.findings import Findings
from ovarnet.data.preparation.pictures import check_pictures
from ovarnet.data.preparation.sources import is_there
from ovarnet.data.vaw import load_vaw
from ovarnet.io.skipped import Skipped
from ovarnet.io.word_files import read_vocabulary
from ovarnet.structures import UNKNOWN, Annotations
from ovarnet.vocabulary import Vocabulary

SPLITS = ("train", "val", "test")
CAPTIONS = {
    "annotations/captions_scenes.json": "images/captions",
    "annotations/captions_photos.json": "photos",
}


def prepare(root: Path, splits: tuple[str, ...], sample: int, findings: Findings) -> None:
    """Check the files of the generated world; see `ovarnet prepare scenes`."""
    if not is_there(root / "vocabulary.json", "scenes", root, findings):
        return
    vocabulary, sizes, files = read_vocabulary(root / "vocabulary.json"), ImageSizes(root), []
    findings.ok(f"{len(vocabulary.categories)} categories, {len(vocabulary.attributes)} attributes")
    for split in splits:
        boxes, labels = (
            root / "annotations" / f"{kind}_{split}.json" for kind in ("instances", "attributes")
        )
        if not all(
            is_there(path, "scenes", root, findings)
            for path in (boxes, labels, root / "images" / split)
        ):
            continue
        files += _check(
            boxes,
            labels,
            root / "images" / split,
            vocabulary,
            sizes,
            findings,
            is_training=split == "train",
        )
    for captions, folder in CAPTIONS.items():
        if is_there(root / captions, "scenes", root, findings) and is_there(
            root / folder, "scenes", root, findings
        ):
            notes = Skipped()
            images = load_captions(root / captions, root / folder, notes)
            findings.ok(f"{root / captions}: {len(images):,} images with captions")
            findings.skipped(root / captions, notes)
            files += [image.file for image in images]
    check_pictures(files, sizes, sample, findings)
    sizes.save(files)


def _check(
    boxes: Path,
    labels: Path,
    folder: Path,
    vocabulary: Vocabulary,
    sizes: ImageSizes,
    findings: Findings,
    *,
    is_training: bool,
) -> list[str]:
    for_boxes, for_labels = Skipped(), Skipped()
    images = load_coco(boxes, folder, vocabulary, for_boxes, sizes)
    described = load_vaw(
        labels,
        None,
        vocabulary,
        {image.image_id: (image.height, image.width) for image in images},
        for_labels,
    )
    findings.ok(
        f"{folder}: {len(images):,} images, {sum(map(len, images)):,} boxes, "
        f"{sum(map(len, described)):,} with attribute labels"
    )
    findings.skipped(boxes, for_boxes)
    findings.skipped(labels, for_labels)
    if is_training:
        _check_nothing_novel(images, described, vocabulary, findings)
    return [image.file for image in images]


def _check_nothing_novel(
    images: list[Annotations],
    described: list[Annotations],
    vocabulary: Vocabulary,
    findings: Findings,
) -> None:
    novel = [
        f"image {image.image_id}: a box of a novel category"
        for image in images
        if not vocabulary.category_seen[image.categories].all()
    ]
    novel += [
        f"image {image.image_id}: a label of a novel attribute"
        for image in described
        if (image.attributes[:, ~vocabulary.attribute_seen] != UNKNOWN).any()
    ]
    if novel:
        findings.problem(f"{len(novel)} training images hold something novel", novel)
    else:
        findings.ok("the training files hold nothing novel")

"""COCO-OVD: COCO 2017 with 48 base and 17 (or 32) novel categories."""

from __future__ import annotations

from ovarnet.data.coco import coco_vocabulary, load_coco
from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.reader import DatasetReader, Request
from ovarnet.splits import COCO_BASE, COCO_EXTRA_15, COCO_NOVEL_17, COCO_SPLITS
from ovarnet.structures import Annotations
from ovarnet.vocabulary import Vocabulary


def ignored_categories(division: str) -> frozenset[str]:
    """COCO's categories that are neither base nor novel in a division ("48/17" or "48/32")."""
    split = COCO_SPLITS[division]
    return (COCO_BASE | COCO_NOVEL_17 | COCO_EXTRA_15) - (split.base or frozenset()) - split.novel


def _read(request: Request) -> tuple[Vocabulary, list[Annotations]]:
    """``annotations/instances_{split}2017.json``; as in OVR-CNN, only images that own a box.

    With `request.background` the others follow.
    """
    file = request.root / "annotations" / f"instances_{request.split}2017.json"
    vocabulary = coco_vocabulary(file, request.division)
    images = load_coco(
        file,
        request.root / f"{request.split}2017" if request.needs_images else None,
        vocabulary,
        request.skipped,
        ImageSizes(request.root),
    )
    annotated = [image for image in images if len(image)]
    background = [image for image in images if not len(image)] if request.background else []
    return vocabulary, annotated + background


READER = DatasetReader(("train", "val"), _read, {name: name for name in COCO_SPLITS})

"""The reader of the generated world: COCO instances joined with VAW records of the same boxes."""

from __future__ import annotations

from ovarnet.data.coco import load_coco
from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.reader import DatasetReader, Request
from ovarnet.data.vaw import load_vaw, merge_annotations
from ovarnet.io.word_files import read_vocabulary
from ovarnet.structures import Annotations
from ovarnet.vocabulary import Vocabulary


def _read(request: Request) -> tuple[Vocabulary, list[Annotations]]:
    root, split = request.root, request.split
    vocabulary = read_vocabulary(root / "vocabulary.json")
    boxes = load_coco(
        root / "annotations" / f"instances_{split}.json",
        root / "images" / split if request.needs_images else None,
        vocabulary,
        request.skipped,
        ImageSizes(root),
    )
    labels = load_vaw(
        root / "annotations" / f"attributes_{split}.json",
        None,
        vocabulary,
        {image.image_id: (image.height, image.width) for image in boxes},
        request.skipped,
    )
    return vocabulary, merge_annotations(boxes, labels)


READER = DatasetReader(("train", "val", "test"), _read)

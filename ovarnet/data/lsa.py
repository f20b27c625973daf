"""LSA files -> Annotations, image by image. Attributes are free phrases; the images come from vg
(Visual Genome), flickr, coco and oi (OpenImages).

A box is [left, top, right, bottom] in pixels; or relative to the image, when all values are in [0,
1]; or the whole image, when all are -1. The release says so for every source, but boxes of vg have
been seen as [x, y, width, height]: which holds is found from the data.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.reader import DatasetReader, Request
from ovarnet.data.records import (
    NOVEL_OBJECT,
    SUB_PIXEL,
    ImageFolder,
    ImageRecord,
    NovelName,
    SizeReader,
    check_ids,
    four_numbers,
    inside,
)
from ovarnet.errors import InputError, errors_prefixed
from ovarnet.io.images import read_image_size
from ovarnet.io.json_stream import read_records
from ovarnet.io.skipped import Skipped
from ovarnet.splits import read_split_file
from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, UNKNOWN, Annotations
from ovarnet.vocabulary import Vocabulary, Word

logger = logging.getLogger(__name__)

SOURCES = ("vg", "flickr", "coco", "oi")


@dataclass(frozen=True)
class VisualGenomeBoxes:
    """How the absolute boxes of vg are written. boxes: how many there are; the other two: how many
    are impossible read as corners (right <= left, bottom <= top, or beyond the image) and read as
    x, y, width, height.
    """

    boxes: int
    impossible_as_corners: int
    impossible_as_xywh: int

    @property
    def is_xywh(self) -> bool:
        """The reading with fewer impossible boxes; corners, as the release says, when equal."""
        return self.impossible_as_corners > self.impossible_as_xywh

    def __str__(self) -> str:
        form = "x, y, width, height" if self.is_xywh else "corners"
        return (
            f"vg boxes are read as {form}: of {self.boxes:,}, {self.impossible_as_corners:,} are "
            "impossible as corners and "
            f"{self.impossible_as_xywh:,} as x, y, width, height"
        )


NO_VG_BOXES = VisualGenomeBoxes(0, 0, 0)


@dataclass(frozen=True)
class _Labelled:
    """The usable objects of one image; `positives` are the columns listed for each."""

    image: ImageRecord
    boxes: list[list[float]]
    categories: list[int]
    positives: list[list[int]]
    instance_ids: list[str]


class LsaImages(Sequence):
    """A sequence of `Annotations`, each made when it is asked for: dense label rows of 9,538 words
    do not fit into memory all at once.
    """

    def __init__(
        self,
        labelled: list[_Labelled],
        attributes: int,
        unlisted: int,
        visual_genome: VisualGenomeBoxes = NO_VG_BOXES,
    ):
        """attributes: how many words. unlisted: label of the words that an object does not list.
        visual_genome: how its boxes were read.
        """
        self.labelled, self.attributes, self.unlisted, self.visual_genome = (
            labelled,
            attributes,
            unlisted,
            visual_genome,
        )

    def __len__(self) -> int:
        return len(self.labelled)

    def erased(self, columns: set[int]) -> LsaImages:
        """The same images without the labels of these columns (the novel words, for training)."""
        kept = [
            replace(
                image, positives=[[c for c in row if c not in columns] for row in image.positives]
            )
            for image in self.labelled
        ]
        return LsaImages(kept, self.attributes, self.unlisted, self.visual_genome)

    def __getitem__(self, index):
        """One `Annotations`, or for a slice an `LsaImages`."""
        if isinstance(index, slice):
            return LsaImages(
                self.labelled[index], self.attributes, self.unlisted, self.visual_genome
            )
        found = self.labelled[index]
        labels = torch.full((len(found.boxes), self.attributes), self.unlisted, dtype=torch.int8)
        for row, columns in enumerate(found.positives):
            labels[row, columns] = POSITIVE
        image = found.image
        return Annotations(
            image.file,
            image.image_id,
            image.height,
            image.width,
            found.boxes,
            found.categories,
            labels,
            instance_ids=list(found.instance_ids),
        )


def lsa_vocabulary(path: str | Path) -> Vocabulary:
    """The attributes of an LSA split file, ``{group: {name: id}}``, in order of their ids.

    Args:
        path: the split file; the words of its base group are seen.

    Raises:
        InputError: not a split file (`ovarnet.splits.read_split_file`).
    """
    ids, split = read_split_file(path)
    with errors_prefixed(path):
        return Vocabulary(attributes=tuple(Word(name, seen=split.is_base(name)) for name in ids))


def load_lsa(
    file: str | Path,
    image_folders: Mapping[str, str | Path],
    vocabulary: Vocabulary,
    unlisted: int = UNKNOWN,
    skipped: Skipped | None = None,
    read_size: SizeReader = read_image_size,
    is_novel: NovelName | None = None,
) -> LsaImages:
    """The images that have a usable object, in file order.

    image_folders: {"vg": ..., "flickr": ..., "coco": ..., "oi": ...}; images of a source that is
    not given are left out and noted. categories: `object` where the vocabulary has it, else
    NO_CATEGORY. Listed attributes are POSITIVE; all others are `unlisted`: UNKNOWN, or NEGATIVE as
    evaluation counts them. An object without instance_id gets "<image_id>:<position>". is_novel:
    for training; objects whose `object` means a novel category are left out. What is left out goes
    to `skipped` (None: one logged line).
    """
    notes = Skipped() if skipped is None else skipped
    records = [record for record in read_records(file, list) if _is_usable(record, notes)]
    check_ids([record["image_id"] for record in records], "image", file)
    images = _find_images(records, image_folders, notes, read_size)
    if records and not images:
        raise InputError(
            f"{file}: none of its {len(records)} images can be used: {notes}; check the image "
            "folders"
        )
    form = visual_genome_boxes(records, images)
    if form.boxes:
        logger.info("%s: %s", file, form)
    labelled = [
        _labelled(
            record,
            image,
            form.is_xywh and image.image_id.startswith("vg_"),
            vocabulary,
            notes,
            is_novel,
        )
        for record in records
        if (image := images.get(record["image_id"])) is not None
    ]
    if skipped is None:
        notes.log(file)
    return LsaImages(
        [image for image in labelled if image.boxes], len(vocabulary.attributes), unlisted, form
    )


def visual_genome_boxes(
    records: list[dict], images: Mapping[str, ImageRecord]
) -> VisualGenomeBoxes:
    """Count, over the absolute boxes of vg, which reading is impossible."""
    boxes = corners = xywh = 0
    for record in records:
        image = images.get(record["image_id"])
        if image is None or not record["image_id"].startswith("vg_"):
            continue
        width, height = image.width + SUB_PIXEL, image.height + SUB_PIXEL
        for entry in record["objects"]:
            values = four_numbers(entry.get("box"))
            if values is None or not _is_absolute(values):
                continue
            a, b, c, d = values
            boxes += 1
            corners += c <= a or d <= b or c > width or d > height
            xywh += a + c > width or b + d > height
    return VisualGenomeBoxes(boxes, corners, xywh)


def _is_usable(record, skipped: Skipped) -> bool:
    if (
        isinstance(record, dict)
        and isinstance(record.get("image_id"), str)
        and isinstance(record.get("objects"), list)
        and all(isinstance(entry, dict) for entry in record["objects"])
    ):
        if record["image_id"].partition("_")[0] in SOURCES:
            return True
        skipped.add(f"image_id does not begin with one of {', '.join(SOURCES)}", record["image_id"])
    else:
        skipped.add("record without image_id or objects", str(record)[:60])
    return False


def _find_images(
    records: list[dict], folders: Mapping[str, str | Path], skipped: Skipped, read_size: SizeReader
) -> dict[str, ImageRecord]:
    listed, images = {source: ImageFolder(folder) for source, folder in folders.items()}, {}
    for image_id in (record["image_id"] for record in records):
        source, _, name = image_id.partition("_")
        stem = name.zfill(12) if source == "coco" else name
        if source not in listed:
            skipped.add(f"no image folder given for {source}", image_id)
        elif (file := listed[source].find_stem(stem)) is None:
            skipped.add("image file missing", image_id)
        else:
            try:
                images[image_id] = ImageRecord(file, image_id, *read_size(file))
            except InputError as error:
                skipped.add("image unreadable", str(error))
    return images


def _labelled(
    record: dict,
    image: ImageRecord,
    is_xywh: bool,
    vocabulary: Vocabulary,
    skipped: Skipped,
    is_novel: NovelName | None,
) -> _Labelled:
    found = _Labelled(image, [], [], [], [])
    for position, entry in enumerate(record["objects"]):
        given = entry.get("instance_id")
        instance = f"{image.image_id}:{position}" if given is None else str(given)
        words = entry.get("attributes")
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            skipped.add("object without a list of attributes", instance)
        elif instance in found.instance_ids:
            skipped.add("instance_id twice in one image", instance)
        elif is_novel is not None and (category := is_novel(str(entry.get("object")))) is not None:
            skipped.add(NOVEL_OBJECT, f"{entry.get('object')!r} ({category}), instance {instance}")
        elif (
            box := _corners(entry.get("box"), image, is_xywh, f"instance {instance}", skipped)
        ) is not None:
            found.boxes.append(box)
            found.categories.append(
                vocabulary.category_index.get(str(entry.get("object")), NO_CATEGORY)
            )
            found.positives.append(_columns(words, vocabulary, instance, skipped))
            found.instance_ids.append(instance)
    return found


def _columns(
    words: list[str], vocabulary: Vocabulary, instance: str, skipped: Skipped
) -> list[int]:
    for word in words:
        if word not in vocabulary.attribute_index:
            skipped.add("attribute not in the vocabulary", f"{word!r} of instance {instance}")
    return [
        vocabulary.attribute_index[word] for word in words if word in vocabulary.attribute_index
    ]


def _is_absolute(values: list[float]) -> bool:
    return values != [-1, -1, -1, -1] and not all(0 <= value <= 1 for value in values)


def _corners(
    values, image: ImageRecord, is_xywh: bool, item: str, skipped: Skipped
) -> list[float] | None:
    """The box in any of its encodings as x1, y1, x2, y2 in pixels inside the image; None, with a
    note, when it is unusable.
    """
    numbers = four_numbers(values)
    if numbers is None:
        return skipped.add("box is not four finite numbers", f"{item}: {values}")
    if all(value == -1 for value in numbers):
        return [0.0, 0.0, float(image.width), float(image.height)]
    x1, y1, x2, y2 = numbers
    if not _is_absolute(numbers):
        x1, y1, x2, y2 = x1 * image.width, y1 * image.height, x2 * image.width, y2 * image.height
    elif is_xywh:
        x2, y2 = x1 + x2, y1 + y2
    if x2 <= x1 or y2 <= y1:
        return skipped.add("box has no area", f"{item}: {values}")
    return inside([x1, y1, x2, y2], image.height, image.width, item, skipped)


def lsa_folders(root: Path) -> dict[str, Path]:
    """The image folders that exist; the loader counts the images of sources without one."""
    folders = {source: root / "images" / source for source in SOURCES}
    return {source: folder for source, folder in folders.items() if folder.is_dir()}


def _read(request: Request) -> tuple[Vocabulary, LsaImages]:
    root, vocabulary = request.root, lsa_vocabulary(request.division)
    return vocabulary, load_lsa(
        root / f"{request.split}.json",
        lsa_folders(root),
        vocabulary,
        UNKNOWN if request.split == "train" else NEGATIVE,
        request.skipped,
        ImageSizes(root),
        request.is_novel,
    )


READER = DatasetReader(
    ("train", "val", "test"),
    _read,
    {"common/common": "common2common.json", "common/rare": "common2rare.json"},
)

"""LSA files -> Annotations, image by image. Attributes are free phrases; the images come from vg (Visual Genome), flickr, coco and oi
(OpenImages).

A box is [left, top, right, bottom] in pixels; or relative to the image, when all values are in [0, 1]; or the whole image, when all
are -1. The release says so for every source, but boxes of vg have been seen as [x, y, width, height]: which holds is found from the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from ovarnet.data.images import read_image_size
from ovarnet.data.records import SUB_PIXEL, ImageFolder, ImageRecord, Skipped, check_ids, four_numbers, inside, logger
from ovarnet.errors import InputError
from ovarnet.files import read_json
from ovarnet.structures import NO_CATEGORY, POSITIVE, UNKNOWN, Annotations
from ovarnet.vocabulary import Vocabulary

SOURCES = ("vg", "flickr", "coco", "oi")


@dataclass(frozen=True)
class VisualGenomeBoxes:
    """How the absolute boxes of vg are written. boxes: how many there are; the other two: how many are impossible read as corners
    (right <= left, bottom <= top, or beyond the image) and read as x, y, width, height."""

    boxes: int
    impossible_as_corners: int
    impossible_as_xywh: int

    @property
    def is_xywh(self) -> bool:
        """The reading with fewer impossible boxes; corners, as the release says, when equal."""
        return self.impossible_as_corners > self.impossible_as_xywh

    def __str__(self) -> str:
        form = "x, y, width, height" if self.is_xywh else "corners"
        return (f"vg boxes are read as {form}: of {self.boxes:,}, {self.impossible_as_corners:,} are impossible as corners and "
                f"{self.impossible_as_xywh:,} as x, y, width, height")


def load_lsa(file: str | Path, image_folders: Mapping[str, str | Path], vocabulary: Vocabulary, unlisted: int = UNKNOWN,
             skipped: Skipped | None = None) -> Iterator[Annotations]:
    """One `Annotations` after the other, in file order: dense label rows of 9,538 words do not fit into memory for the whole training set.

    image_folders: {"vg": ..., "flickr": ..., "coco": ..., "oi": ...}; images of a source that is not given are left out and noted.
    categories: `object` where the vocabulary has it, else NO_CATEGORY. Listed attributes are POSITIVE; all others are `unlisted`: UNKNOWN,
    or NEGATIVE as evaluation counts them. An object without instance_id gets "<image_id>:<position>". What is left out goes to `skipped`
    (None: one logged line at the end).
    """
    notes = Skipped() if skipped is None else skipped
    records = [record for record in read_json(file, list) if _is_usable(record, notes)]
    check_ids([record["image_id"] for record in records], "image", file)
    images = _find_images(records, image_folders, notes)
    if records and not images:
        raise InputError(f"{file}: none of its {len(records)} images can be used: {notes}; check the image folders")
    form = visual_genome_boxes(records, images)
    if form.boxes:
        logger.info("%s: %s", file, form)
    return _annotations(file, records, images, form.is_xywh, vocabulary, unlisted, notes, skipped is None)


def visual_genome_boxes(records: list[dict], images: Mapping[str, ImageRecord]) -> VisualGenomeBoxes:
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
    if isinstance(record, dict) and isinstance(record.get("image_id"), str) and isinstance(record.get("objects"), list) \
            and all(isinstance(entry, dict) for entry in record["objects"]):
        if record["image_id"].partition("_")[0] in SOURCES:
            return True
        skipped.add(f"image_id does not begin with one of {', '.join(SOURCES)}", record["image_id"])
    else:
        skipped.add("record without image_id or objects", str(record)[:60])
    return False


def _find_images(records: list[dict], folders: Mapping[str, str | Path], skipped: Skipped) -> dict[str, ImageRecord]:
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
                images[image_id] = ImageRecord(file, image_id, *read_image_size(file))
            except InputError as error:
                skipped.add("image unreadable", str(error))
    return images


def _annotations(file, records: list[dict], images: Mapping[str, ImageRecord], vg_is_xywh: bool, vocabulary: Vocabulary, unlisted: int,
                 skipped: Skipped, log: bool) -> Iterator[Annotations]:
    for record in records:
        image = images.get(record["image_id"])
        if image is None:
            continue
        annotations = _image_annotations(record, image, vg_is_xywh and image.image_id.startswith("vg_"), vocabulary, unlisted, skipped)
        if len(annotations):
            yield annotations
    if log:
        skipped.log(file)


def _image_annotations(record: dict, image: ImageRecord, is_xywh: bool, vocabulary: Vocabulary, unlisted: int,
                       skipped: Skipped) -> Annotations:
    boxes, categories, labels, ids = [], [], [], []
    for position, entry in enumerate(record["objects"]):
        instance = str(entry.get("instance_id", f"{image.image_id}:{position}"))
        words = entry.get("attributes")
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            skipped.add("object without a list of attributes", instance)
        elif instance in ids:
            skipped.add("instance_id twice in one image", instance)
        elif (box := _corners(entry.get("box"), image, is_xywh, f"instance {instance}", skipped)) is not None:
            boxes.append(box)
            categories.append(vocabulary.category_index.get(str(entry.get("object")), NO_CATEGORY))
            labels.append(_labels(words, vocabulary, unlisted, instance, skipped))
            ids.append(instance)
    attributes = torch.stack(labels) if labels else torch.zeros(0, len(vocabulary.attributes), dtype=torch.int8)
    return Annotations(image.file, image.image_id, image.height, image.width, boxes, categories, attributes, instance_ids=ids)


def _labels(words: list[str], vocabulary: Vocabulary, unlisted: int, instance: str, skipped: Skipped) -> torch.Tensor:
    row = torch.full((len(vocabulary.attributes),), unlisted, dtype=torch.int8)
    for word in words:
        if word in vocabulary.attribute_index:
            row[vocabulary.attribute_index[word]] = POSITIVE
        else:
            skipped.add("attribute not in the vocabulary", f"{word!r} of instance {instance}")
    return row


def _is_absolute(values: list[float]) -> bool:
    return values != [-1, -1, -1, -1] and not all(0 <= value <= 1 for value in values)


def _corners(values, image: ImageRecord, is_xywh: bool, item: str, skipped: Skipped) -> list[float] | None:
    """The box in any of its encodings as x1, y1, x2, y2 in pixels inside the image; None, with a note, when it is unusable."""
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

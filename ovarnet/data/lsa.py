"""LSA files -> Annotations, image by image. Attributes are free phrases.

The images come from vg (Visual Genome), flickr, coco and oi (Open Images). A box is [left, top,
right, bottom] in pixels; or as fractions of the image, when all values are in [0, 1]; or the whole
image, when all are -1. The release says so for every source, but boxes of vg have been seen as
[x, y, width, height]: which of the two holds is determined from the data.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

import torch

from ovarnet.data.boxes import SUB_PIXEL, checked_corners, four_numbers
from ovarnet.data.fields import as_id, check_ids
from ovarnet.data.image_folder import ImageFolder, ImageRecord, SizeReader
from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.reader import NOVEL_OBJECT, DatasetReader, NovelName, Request
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
    """How the boxes of vg in pixels are written.

    Attributes:
        boxes: how many there are.
        impossible_as_corners: of them read as corners, how many have right <= left or bottom <= top
            or reach beyond the image.
        impossible_as_xywh: of them read as x, y, width, height, how many reach beyond the image.
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
            f"impossible as corners and {self.impossible_as_xywh:,} as x, y, width, height"
        )


NO_VG_BOXES = VisualGenomeBoxes(0, 0, 0)


@dataclass(frozen=True)
class LabelledImage:
    """The usable objects of one image.

    Attributes:
        image: the image.
        boxes: x1, y1, x2, y2 in pixels of each object.
        categories: category index or NO_CATEGORY of each.
        positives: columns of the attributes listed for each.
        instance_ids: id of each.
    """

    image: ImageRecord
    boxes: list[list[float]]
    categories: list[int]
    positives: list[list[int]]
    instance_ids: list[str]


class LsaImages(Sequence[Annotations]):
    """A sequence of `Annotations`, each made when it is accessed.

    The dense label rows of 9,538 words do not fit into memory for all images at once.

    Args:
        labelled: the images.
        vocabulary_sizes: numbers of categories and attributes.
        unlisted: label of the attributes that an object does not list.
        visual_genome: how the boxes of vg were read.
    """

    def __init__(
        self,
        labelled: Sequence[LabelledImage],
        vocabulary_sizes: tuple[int, int],
        unlisted: int,
        visual_genome: VisualGenomeBoxes = NO_VG_BOXES,
    ):
        self.labelled, self.vocabulary_sizes = labelled, vocabulary_sizes
        self.unlisted, self.visual_genome = unlisted, visual_genome

    def __len__(self) -> int:
        return len(self.labelled)

    def erased(self, columns: set[int]) -> LsaImages:
        """The same images without the labels of some attributes.

        Args:
            columns: the attributes; for training, the novel ones.
        """
        return self._with(
            [
                replace(
                    image,
                    positives=[[c for c in row if c not in columns] for row in image.positives],
                )
                for image in self.labelled
            ]
        )

    @overload
    def __getitem__(self, index: int) -> Annotations: ...

    @overload
    def __getitem__(self, index: slice) -> LsaImages: ...

    def __getitem__(self, index: int | slice) -> Annotations | LsaImages:
        if isinstance(index, slice):
            return self._with(self.labelled[index])
        found, (categories, attributes) = self.labelled[index], self.vocabulary_sizes
        labels = torch.full((len(found.boxes), attributes), self.unlisted, dtype=torch.int8)
        for row, columns in enumerate(found.positives):
            labels[row, columns] = POSITIVE
        return Annotations(
            found.image.file,
            found.image.image_id,
            found.image.height,
            found.image.width,
            found.boxes,
            found.categories,
            labels,
            instance_ids=found.instance_ids,
            # LSA describes some objects of an image, never all.
            labelled_categories=torch.zeros(categories, dtype=torch.bool),
        )

    def _with(self, labelled: Sequence[LabelledImage]) -> LsaImages:
        return LsaImages(labelled, self.vocabulary_sizes, self.unlisted, self.visual_genome)


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


def lsa_folders(root: Path) -> dict[str, Path]:
    """The image folders that exist; the loader counts the images of sources without one."""
    folders = {source: root / "images" / source for source in SOURCES}
    return {source: folder for source, folder in folders.items() if folder.is_dir()}


def load_lsa(
    file: str | Path,
    image_folders: Mapping[str, str | Path],
    vocabulary: Vocabulary,
    unlisted: int = UNKNOWN,
    skipped: Skipped | None = None,
    read_size: SizeReader = read_image_size,
    is_novel: NovelName | None = None,
) -> LsaImages:
    """Read an LSA file.

    Args:
        file: the JSON file of a split.
        image_folders: source (one of `SOURCES`) -> folder; images of a source that is not given are
            left out and noted.
        vocabulary: gives the columns of attributes, and of categories where it has the `object`.
        unlisted: label of the attributes that an object does not list: UNKNOWN, or NEGATIVE as
            evaluation counts them.
        skipped: where to note what is left out; None logs one line.
        read_size: reads the size of an image file.
        is_novel: for training: objects whose `object` means a novel category are left out and
            noted.

    Returns:
        The images that have a usable object, in file order. Objects whose `object` is no category
        have NO_CATEGORY; one without an instance_id gets "<image_id>:<position>".

    Raises:
        InputError: not an LSA file, an image id twice, or no usable image.
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
    labelled = []
    for record in records:
        image = images.get(record["image_id"])
        if image is not None:
            is_xywh = form.is_xywh and image.image_id.startswith("vg_")
            found = _labelled(record["objects"], image, is_xywh, vocabulary, notes, is_novel)
            labelled += [found] if found.boxes else []
    if skipped is None:
        notes.log(file)
    sizes = (len(vocabulary.categories), len(vocabulary.attributes))
    return LsaImages(labelled, sizes, unlisted, form)


def visual_genome_boxes(
    records: list[dict[str, Any]], images: Mapping[str, ImageRecord]
) -> VisualGenomeBoxes:
    """Count, over the boxes of vg in pixels, which reading is impossible.

    Args:
        records: the images of the file.
        images: the usable ones by id.
    """
    boxes = corners = xywh = 0
    for record in records:
        image = images.get(record["image_id"])
        if image is None or not record["image_id"].startswith("vg_"):
            continue
        width, height = image.width + SUB_PIXEL, image.height + SUB_PIXEL
        for entry in record["objects"]:
            values = four_numbers(entry.get("box"))
            if values is None or not _is_in_pixels(values):
                continue
            a, b, c, d = values
            boxes += 1
            corners += c <= a or d <= b or c > width or d > height
            xywh += a + c > width or b + d > height
    return VisualGenomeBoxes(boxes, corners, xywh)


def _is_usable(record: object, skipped: Skipped) -> bool:
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
    records: list[dict[str, Any]],
    folders: Mapping[str, str | Path],
    skipped: Skipped,
    read_size: SizeReader,
) -> dict[str, ImageRecord]:
    listed = {source: ImageFolder(folder) for source, folder in folders.items()}
    images = {}
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
    objects: list[dict[str, Any]],
    image: ImageRecord,
    is_xywh: bool,
    vocabulary: Vocabulary,
    skipped: Skipped,
    is_novel: NovelName | None,
) -> LabelledImage:
    found = LabelledImage(image, [], [], [], [])
    for position, entry in enumerate(objects):
        instance = as_id(entry.get("instance_id")) or f"{image.image_id}:{position}"
        words, name = entry.get("attributes"), entry.get("object")
        name = name if isinstance(name, str) else ""
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            skipped.add("object without a list of attributes", instance)
        elif instance in found.instance_ids:
            skipped.add("instance_id twice in one image", instance)
        elif is_novel is not None and (category := is_novel(name)) is not None:
            skipped.add(NOVEL_OBJECT, f"{name!r} ({category}), instance {instance}")
        elif (
            box := _corners(entry.get("box"), image, is_xywh, f"instance {instance}", skipped)
        ) is not None:
            found.boxes.append(box)
            found.categories.append(vocabulary.category_index.get(name, NO_CATEGORY))
            found.positives.append(_columns(words, vocabulary, instance, skipped))
            found.instance_ids.append(instance)
    return found


def _columns(
    words: list[str], vocabulary: Vocabulary, instance: str, skipped: Skipped
) -> list[int]:
    columns = []
    for word in words:
        if word in vocabulary.attribute_index:
            columns.append(vocabulary.attribute_index[word])
        else:
            skipped.add("attribute not in the vocabulary", f"{word!r} of instance {instance}")
    return columns


def _is_in_pixels(values: list[float]) -> bool:
    return values != [-1, -1, -1, -1] and not all(0 <= value <= 1 for value in values)


def _corners(
    values: object, image: ImageRecord, is_xywh: bool, item: str, skipped: Skipped
) -> list[float] | None:
    """The box of any encoding in pixels within the image; None, with a note, if unusable."""
    numbers = four_numbers(values)
    if numbers is None:
        skipped.add("box is not four finite numbers", f"{item}: {values}")
        return None
    if all(value == -1 for value in numbers):
        return [0.0, 0.0, float(image.width), float(image.height)]
    x1, y1, x2, y2 = numbers
    if not _is_in_pixels(numbers):
        x1, y1, x2, y2 = x1 * image.width, y1 * image.height, x2 * image.width, y2 * image.height
    elif is_xywh:
        x2, y2 = x1 + x2, y1 + y2
    corners = [x1, y1, x2, y2]
    return checked_corners(corners, image.height, image.width, f"{item}: {values}", skipped)


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
